"""The command line: arguments, and one file a command. Nothing here measures or draws; other rooms never import it."""
