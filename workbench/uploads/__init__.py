"""Partners' files: a tus server, its storage on disk, what runs when a file arrived, and a client."""
