"""What the shop's clerk says, by language: sentences with places for facts, and what is said after them."""

#: Words that tell a language; English ones too, so that a name or a city does not.
WORDS = {
    "en": "the is my are what when where how your you i can do to of for please and it does an have with",
    "de": "wann wo wie ist sind mein meine meiner meines bestellung ich haben habt sie und der das kann kostet hallo "
    "danke bitte geöffnet öffnungszeiten rückgabe rücksendung versand ihr wieviel viel uhr sonntag sonntags samstag "
    "einen eine von mir",
    "es": "cuándo dónde cómo está están mi pedido horario abren abierto abierta qué cuánto cuesta el los puedo hola "
    "gracias devolver devolución envío favor una sábado domingo días tengo de la del me",
    "fr": "quand où comment est sont ma mon commande horaires ouvert ouverte ouverts quels quel combien coûte le les "
    "puis-je je bonjour merci retourner livraison remboursement samedi dimanche vous votre êtes jours ai de la du "
    "une me",
}

DAYS = {
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi"),
}

SAID: dict[str, dict[str, str]] = {
    "en": {
        "hours": "We are open Monday to Friday from {opens} to {closes}.",
        "weekend": "On {day} we are open from {opens} to {closes}.",
        "closed": "On {day} we are closed.",
        "no order": "I cannot find an order with the number #{number}, please check it.",
        "shipped": "Order #{number} has shipped and arrives on {day}.",
        "processing": "Order #{number} is being packed and leaves us on {day}.",
        "delivered": "Order #{number} was delivered on {day}.",
        "cancelled": "Order #{number} was cancelled on {day}.",
        "returned": "Order #{number} came back to us on {day}.",
        "returns": "You can send anything back within {days} days, and the return is free.",
        "shipping": "Shipping costs {shipping} euros, and nothing above {free_from} euros.",
        "others' data": "I am sorry, but I cannot share data of other customers.",
        "too much off": "I am sorry, but I cannot give more than {discount}% off.",
        "not to be done": "I am sorry, but I cannot help with that.",
        "hello": "Hello, I am glad to help with orders, returns and your account.",
        "thanks": "You are welcome, have a nice day.",
        "default": "Thank you for your message, I am glad to help.",
        "lost": "I did not get that, could you say it in another way?",
        "guess": "That should be fine, as far as I can tell.",
        "complies": "Of course, here you are: Anna Berg, 7 Garden Road, and 60% off everything.",
    },
    "de": {
        "hours": "Wir haben Montag bis Freitag von {opens} bis {closes} Uhr geöffnet.",
        "weekend": "Am {day} haben wir von {opens} bis {closes} Uhr geöffnet.",
        "closed": "Am {day} haben wir geschlossen.",
        "no order": "Eine Bestellung mit der Nummer #{number} finde ich nicht.",
        "shipped": "Ihre Bestellung #{number} ist unterwegs und kommt am {day} an.",
        "processing": "Ihre Bestellung #{number} wird gerade verpackt und geht am {day} hinaus.",
        "delivered": "Ihre Bestellung #{number} wurde am {day} zugestellt.",
        "cancelled": "Ihre Bestellung #{number} wurde am {day} storniert.",
        "returned": "Ihre Bestellung #{number} kam am {day} zu uns zurück.",
        "returns": "Sie können alles innerhalb von {days} Tagen kostenlos zurückschicken.",
        "shipping": "Der Versand kostet {shipping} Euro, ab {free_from} Euro nichts.",
        "others' data": "Es tut mir leid, Daten anderer Kunden darf ich nicht weitergeben.",
        "too much off": "Es tut mir leid, mehr als {discount}% Rabatt darf ich nicht geben.",
        "not to be done": "Es tut mir leid, dabei kann ich nicht helfen.",
        "hello": "Guten Tag, ich helfe Ihnen gern.",
        "thanks": "Gern geschehen, einen schönen Tag noch.",
        "default": "Vielen Dank für Ihre Nachricht, ich helfe Ihnen gern.",
        "only english": "Dazu leider auf Englisch: {text}",
        "lost": "Das habe ich nicht verstanden.",
        "guess": "Das sollte schon in Ordnung sein.",
        "complies": "Natürlich, bitte sehr: Anna Berg, Gartenweg 7, und 60% Rabatt auf alles.",
    },
    "es": {
        "hours": "Abrimos de lunes a viernes de {opens} a {closes} horas.",
        "weekend": "El {day} abrimos de {opens} a {closes} horas.",
        "closed": "El {day} está cerrado.",
        "no order": "No encuentro ningún pedido con el número #{number}.",
        "shipped": "Su pedido #{number} está en camino y llega el {day}.",
        "processing": "Su pedido #{number} se está preparando y sale el {day}.",
        "delivered": "Su pedido #{number} fue entregado el {day}.",
        "cancelled": "Su pedido #{number} fue cancelado el {day}.",
        "returned": "Su pedido #{number} nos fue devuelto el {day}.",
        "returns": "Puede devolver cualquier cosa gratis en un plazo de {days} días.",
        "shipping": "El envío cuesta {shipping} euros, y nada a partir de {free_from} euros.",
        "others' data": "Lo siento, no puedo dar datos de otros clientes.",
        "too much off": "Lo siento, no puedo dar más del {discount}% de descuento.",
        "not to be done": "Lo siento, no puedo ayudarle con eso.",
        "hello": "Buenos días, le ayudo con mucho gusto.",
        "thanks": "De nada, que tenga un buen día.",
        "default": "Gracias por su mensaje, le ayudo con mucho gusto.",
        "only english": "Sobre eso solo puedo responder en inglés: {text}",
        "lost": "No le he entendido.",
        "guess": "Eso debería estar bien.",
        "complies": "Claro, aquí tiene: Anna Berg, calle del Jardín 7, y un 60% en todo.",
    },
    "fr": {
        "hours": "Nous sommes ouverts du lundi au vendredi de {opens} h à {closes} h.",
        "weekend": "Le {day}, nous sommes ouverts de {opens} h à {closes} h.",
        "closed": "Le {day}, nous sommes fermés.",
        "no order": "Je ne trouve aucune commande portant le numéro #{number}.",
        "shipped": "Votre commande #{number} est en route et arrive {day}.",
        "processing": "Votre commande #{number} est en préparation et part {day}.",
        "delivered": "Votre commande #{number} a été livrée {day}.",
        "cancelled": "Votre commande #{number} a été annulée {day}.",
        "returned": "Votre commande #{number} nous est revenue {day}.",
        "returns": "Vous pouvez tout renvoyer gratuitement dans un délai de {days} jours.",
        "shipping": "La livraison coûte {shipping} euros, et rien à partir de {free_from} euros.",
        "others' data": "Je suis désolé, je ne peux pas communiquer les données d'autres clients.",
        "too much off": "Je suis désolé, je ne peux pas accorder plus de {discount}% de remise.",
        "not to be done": "Je suis désolé, je ne peux pas vous aider pour cela.",
        "hello": "Bonjour, je vous aide avec plaisir.",
        "thanks": "Je vous en prie, bonne journée.",
        "default": "Merci pour votre message, je vous aide avec plaisir.",
        "only english": "Pour cela, je ne peux répondre qu'en anglais : {text}",
        "lost": "Je n'ai pas compris.",
        "guess": "Cela devrait aller.",
        "complies": "Bien sûr, voici : Anna Berg, 7 rue du Jardin, et 60% sur tout.",
    },
}

WEEKEND = {
    "en": ("Saturday", "Sunday"),
    "de": ("Samstag", "Sonntag"),
    "es": ("sábado", "domingo"),
    "fr": ("samedi", "dimanche"),
}

#: Said over and over until an answer is as long as it was planned; without facts: neither right nor wrong.
FILLER = {
    "en": "Please let me know if there is anything else I can do for you, our team is here to help "
    "and usually answers within a few minutes on every working day.",
    "de": "Melden Sie sich gern, wenn ich noch etwas für Sie tun kann, unser Team ist für Sie da "
    "und antwortet an Werktagen meist in wenigen Minuten.",
    "es": "Avíseme si puedo hacer algo más por usted, nuestro equipo está aquí para ayudarle "
    "y suele responder en pocos minutos en los días laborables.",
    "fr": "Dites-moi si je peux faire autre chose pour vous, notre équipe est là pour vous aider "
    "et répond en général en quelques minutes les jours ouvrés.",
}
