"""Early detection of companies in difficulty: batches of partners' files, their sources and parsers."""
