/* A fast server of chat completion streams that keeps its own times: what it says of them is the truth that the
   program's figures are held against. One thread, one epoll, one heap of what is due; libc only.

     stream_server [TOKENS [RATE [FIRST_MS [SPREAD_MS]]]]
                                             what a request gets that does not say; by default 80, 40/s, 200 ms, 0 ms

     POST ...?tokens=N&rate=R[&first_ms=F]   openai.chat: the role at once, N content chunks (the first after F ms, then
                                             R a second), finish, usage, [DONE]; a stream waits up to SPREAD_MS longer,
                                             by chance: as with a real model, those that began together do not go on in
                                             step for ever; without tokens in the query the body's
                                             max_tokens or max_completion_tokens counts
     POST /probe?tokens=1&rate=1             one JSON event, first token and end at once, that says how long it took
     GET /work?ms=W                          a plain answer after W ms
     POST /stall?ms=S[&work=N]               for S ms nothing is read or sent: from now on, or from the moment that N
                                             requests of /work have been read since the start
     GET /stats                              what was sent so far, in our own times
     GET /health, GET /v1/models             what clients ask before they begin

   It listens on a free port of 127.0.0.1, prints it, and ends when its standard input does. Times are CLOCK_MONOTONIC
   in ns (Python's perf_counter_ns on Linux): read as soon as recv() has given us the end of a request, and right before
   the send() of what they are the time of. Every content chunk carries the time it was sent. */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream_book.h"

#define MAX_REQUEST (16u << 20)
/* How every event of a completion begins. */
#define EVENT \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"benchmark\","

struct buffer {
    char *data;
    size_t used, size;
};

enum kind { CHAT, PROBE, WORK };

/* A connection, and the answer that is under way on it. */
struct conn {
    int fd;
    struct buffer in, out; /* of the next request; of what the socket would not take yet */
    bool busy, last_one, told_to_go_on;
    enum kind kind;
    int tokens, left;
    ns received, due, step, last; /* last: when the last content chunk was sent, 0 before the first */
    size_t place;                 /* in the heap */
};

static struct conn **heap;
static size_t heap_used, heap_size;
static int epoll, default_tokens = 80;
static double default_rate = 40, default_first_ms = 200, spread_ms = 0;
static long stall_at = -1; /* the number of requests of /work that brings it on */
static ns stall_for;

static char *role, *content, *sent_at, *finish; /* sent_at: the 19 digits within content */

/* Always one byte more than is used, for a NUL. */
static void append(struct buffer *b, const char *data, size_t size)
{
    b->data = grown(b->data, &b->size, b->used + size + 1, 1);
    memcpy(b->data + b->used, data, size);
    b->data[b->used += size] = 0;
}

static void drop(struct buffer *b, size_t size)
{
    memmove(b->data, b->data + size, b->used -= size);
    b->data[b->used] = 0;
}

/* --- what is due, the earliest first ------------------------------------------------------------------------------ */

static void settle(struct conn *c, size_t i)
{
    for (; i && heap[(i - 1) / 2]->due > c->due; i = (i - 1) / 2)
        (heap[i] = heap[(i - 1) / 2])->place = i;
    for (size_t child; (child = 2 * i + 1) < heap_used; i = child) {
        child += child + 1 < heap_used && heap[child + 1]->due < heap[child]->due;
        if (heap[child]->due >= c->due)
            break;
        (heap[i] = heap[child])->place = i;
    }
    (heap[i] = c)->place = i;
}

static void heap_add(struct conn *c)
{
    heap = grown(heap, &heap_size, heap_used + 1, sizeof *heap);
    heap_used++;
    settle(c, heap_used - 1);
}

static void heap_remove(struct conn *c)
{
    struct conn *other = heap[--heap_used];
    if (other != c)
        settle(other, c->place);
}

/* --- connections -------------------------------------------------------------------------------------------------- */

static void watch(struct conn *c, int what, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, what, c->fd, &event);
}

static void lose(struct conn *c)
{
    if (c->busy) {
        book.broken++;
        heap_remove(c);
    }
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}

/* Send now what the socket takes, the rest when it can. A connection that broke is reported by epoll soon. */
static void put(struct conn *c, const char *data, size_t size)
{
    ssize_t sent = c->out.used ? 0 : send(c->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return;
    sent = sent < 0 ? 0 : sent;
    if ((size_t)sent < size) {
        append(&c->out, data + sent, size - (size_t)sent);
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
}

static void close_if_last(struct conn *c)
{
    if (c->last_one && !c->busy && !c->out.used)
        shutdown(c->fd, SHUT_WR);
}

static void put_rest(struct conn *c)
{
    ssize_t sent = send(c->fd, c->out.data, c->out.used, MSG_NOSIGNAL);
    if (sent > 0)
        drop(&c->out, (size_t)sent);
    if (!c->out.used)
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    close_if_last(c);
}

static void put_json(struct conn *c, const char *status, const char *body)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", status,
                        strlen(body), body);
    put(c, text, (size_t)size);
}

static bool read_requests(struct conn *c, ns now);

/* The answer is whole: the next request may be here already. */
static void finished(struct conn *c)
{
    c->busy = false;
    close_if_last(c);
    if (!c->last_one && !read_requests(c, now_ns()))
        lose(c);
}

/* Send what is due. */
static void go_on(struct conn *c)
{
    heap_remove(c);
    if (c->kind == WORK) {
        put_json(c, "200 OK", "{\"done\":true}");
        finished(c);
        return;
    }
    ns now = now_ns();
    record(&book.lag, now - c->due);
    record(c->last ? &book.gap : &book.ttft, now - (c->last ? c->last : c->received));
    count_chunk(now);
    c->last = now;
    ns rest = now;
    for (int digit = 18; digit >= 0; digit--, rest /= 10)
        sent_at[digit] = (char)('0' + rest % 10);
    if (--c->left) {
        put(c, content, strlen(content));
        c->due += c->step;
        heap_add(c);
        return;
    }
    book.streams++;
    record(&book.latency, now - c->received);
    char text[2048], usage[512];
    int size;
    if (c->kind == PROBE) {
        int length = snprintf(usage, sizeof usage, "data: {\"delta\":\" token\",\"total_s\":%.9f,\"done\":true}\n\n",
                              (double)(now - c->received) / S);
        size = snprintf(text, sizeof text, "%x\r\n%s\r\n0\r\n\r\n", (unsigned)length, usage);
    } else {
        int length = snprintf(usage, sizeof usage,
                              EVENT "\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":%d,"
                                    "\"total_tokens\":%d}}\n\n",
                              c->tokens, 8 + c->tokens);
        size = snprintf(text, sizeof text, "%s%s%x\r\n%s\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", content, finish,
                        (unsigned)length, usage);
    }
    put(c, text, (size_t)size);
    finished(c);
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* A number of the query, or of a JSON body where name has its quotes and colon. */
static double number_after(const char *text, const char *name, double otherwise)
{
    const char *at = strstr(text, name);
    char *end;
    double number = at ? strtod(at += strlen(name), &end) : 0;
    return at && end != at ? number : otherwise;
}

static double asked(const char *target, const char *name, double otherwise)
{
    char first[32], other[32];
    snprintf(first, sizeof first, "?%s=", name);
    snprintf(other, sizeof other, "&%s=", name);
    return number_after(target, first, number_after(target, other, otherwise));
}

static void stall(void)
{
    struct timespec t = {stall_for / (ns)S, stall_for % (ns)S};
    stall_at = -1;
    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

static void begin(struct conn *c, enum kind kind, ns now, double first_ms)
{
    book.requests++;
    c->kind = kind;
    c->busy = true;
    c->received = now;
    c->last = 0;
    c->due = now + (ns)(first_ms * MS);
    heap_add(c);
}

static void begin_stream(struct conn *c, const char *target, const char *body, ns now)
{
    double tokens = number_after(body, "\"max_completion_tokens\":", default_tokens);
    tokens = asked(target, "tokens", number_after(body, "\"max_tokens\":", tokens));
    double rate = asked(target, "rate", default_rate);
    c->tokens = c->left = tokens >= 1 ? (int)tokens : 1;
    c->step = (ns)(S / (rate > 0 ? rate : default_rate));
    put(c, role, strlen(role));
    enum kind kind = strncmp(target, "/probe", 6) ? CHAT : PROBE;
    double spread = kind == CHAT ? spread_ms * drand48() : 0; /* the same sequence every time */
    begin(c, kind, now, asked(target, "first_ms", default_first_ms) + spread);
}

/* One whole request; head and body end with a NUL. */
static void answer(struct conn *c, char *head, const char *body, ns now)
{
    static char text[2048];
    bool post = !strncmp(head, "POST ", 5);
    char *target = strchr(head, ' ');
    target = target ? target + 1 : head;
    c->last_one = strcasestr(head, "\r\nconnection: close") != NULL;
    target[strcspn(target, " \r")] = 0;
    if (post && !strncmp(target, "/stall", 6)) {
        stall_for = (ns)(asked(target, "ms", 0) * MS);
        stall_at = (long)asked(target, "work", 0);
        put_json(c, "200 OK", "{}");
        if (stall_at <= book.work)
            stall();
    } else if (post)
        begin_stream(c, target, body, now);
    else if (!strncmp(target, "/work", 5)) {
        begin(c, WORK, now, asked(target, "ms", 0));
        if (++book.work == stall_at)
            stall();
    } else if (!strcmp(target, "/stats")) {
        stats(text, sizeof text);
        put_json(c, "200 OK", text);
    } else if (!strcmp(target, "/health"))
        put_json(c, "200 OK", "{\"status\":\"ok\"}");
    else if (!strcmp(target, "/v1/models"))
        put_json(c, "200 OK",
                 "{\"object\":\"list\",\"data\":[{\"id\":\"benchmark\",\"object\":\"model\",\"created\":1700000000,"
                 "\"owned_by\":\"benchmark\"}]}");
    else
        put_json(c, "404 Not Found", "{\"error\":{\"message\":\"there is nothing here\"}}");
    close_if_last(c);
}

/* Answer what has come whole, one after the other. False: no request of ours, the connection is to be closed. */
static bool read_requests(struct conn *c, ns now)
{
    while (!c->busy && c->in.used) {
        char *end = memmem(c->in.data, c->in.used, "\r\n\r\n", 4);
        if (!end)
            return c->in.used <= MAX_REQUEST;
        size_t head = (size_t)(end - c->in.data);
        *end = 0;
        const char *field = strcasestr(c->in.data, "\r\ncontent-length:");
        double length = field ? strtod(field + 17, NULL) : 0;
        bool expects = strcasestr(c->in.data, "\r\nexpect: 100-continue") != NULL;
        bool chunked = strcasestr(c->in.data, "\r\ntransfer-encoding:") != NULL;
        *end = '\r';
        if (chunked || !(length >= 0 && length <= MAX_REQUEST))
            return false;
        size_t whole = head + 4 + (size_t)length;
        if (c->in.used < whole) {
            if (expects && !c->told_to_go_on)
                put(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
            c->told_to_go_on = expects;
            return true;
        }
        c->told_to_go_on = false;
        char next = c->in.data[whole];
        *end = c->in.data[whole] = 0;
        answer(c, c->in.data, end + 4, now);
        c->in.data[whole] = next;
        drop(&c->in, whole);
    }
    return c->in.used <= MAX_REQUEST;
}

/* False: the connection is over. */
static bool receive(struct conn *c)
{
    static char bytes[1 << 16];
    ssize_t size = recv(c->fd, bytes, sizeof bytes, 0);
    ns now = now_ns();
    if (size <= 0)
        return size < 0 && errno == EAGAIN;
    append(&c->in, bytes, (size_t)size);
    return read_requests(c, now);
}

static void receive_connections(int listener)
{
    for (int fd, on = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct conn *c = calloc(1, sizeof *c);
        if (!c)
            abort();
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static char *chunk_of(const char *data)
{
    char *text;
    if (asprintf(&text, "%zx\r\n%s\r\n", strlen(data), data) < 0)
        abort();
    return text;
}

static void make_texts(void)
{
    char event[512];
    const char *shared = EVENT "%s\"choices\":[{\"index\":0,\"delta\":{%s},\"finish_reason\":%s}]%s}\n\n";
    snprintf(event, sizeof event, shared, "\"sent_ns\":\"@@@@@@@@@@@@@@@@@@@\",", "\"content\":\" token\"", "null",
             ",\"usage\":null");
    content = chunk_of(event);
    sent_at = strchr(content, '@');
    snprintf(event, sizeof event, shared, "", "", "\"stop\"", ",\"usage\":null");
    finish = chunk_of(event);
    snprintf(event, sizeof event, shared, "", "\"role\":\"assistant\",\"content\":\"\"", "null", ",\"usage\":null");
    if (asprintf(&role, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n%s",
                 chunk_of(event)) < 0)
        abort();
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        perror("stream_server");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* Until there is something to read or something is due. ppoll() takes ns where epoll_wait() takes ms. */
static int wait_for(struct epoll_event *events, int most)
{
    ns left = heap_used ? heap[0]->due - now_ns() : (ns)S;
    left = left < 0 ? 0 : left;
    struct timespec t = {left / (ns)S, left % (ns)S};
    struct pollfd fd = {.fd = epoll, .events = POLLIN};
    return ppoll(&fd, 1, &t, NULL) > 0 ? epoll_wait(epoll, events, most, 0) : 0;
}

int main(int count, char **arguments)
{
    default_tokens = count > 1 ? atoi(arguments[1]) : default_tokens;
    default_rate = count > 2 ? atof(arguments[2]) : default_rate;
    default_first_ms = count > 3 ? atof(arguments[3]) : default_first_ms;
    spread_ms = count > 4 ? atof(arguments[4]) : spread_ms;
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    prctl(PR_SET_TIMERSLACK, 1ul); /* the kernel's 50 us of its own would be lag of ours */
    make_texts();
    book.began = now_ns();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    static struct conn listener, input; /* epoll says which it was by these addresses */
    listener.fd = listen_anywhere();
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    watch(&input, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[64];
        for (int i = 0, n = wait_for(events, 64); i < n; i++) {
            struct conn *c = events[i].data.ptr;
            char ignored[256];
            if (c == &input && read(0, ignored, sizeof ignored) <= 0)
                return 0;
            if (c == &input)
                continue;
            if (c == &listener) {
                receive_connections(listener.fd);
                continue;
            }
            if (events[i].events & EPOLLOUT)
                put_rest(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(c))
                lose(c);
        }
        /* A few at a time: a request that comes must not wait for all that is due. */
        ns now = now_ns();
        for (int i = 0; i < 16 && heap_used && heap[0]->due <= now; i++)
            go_on(heap[0]);
    }
}
