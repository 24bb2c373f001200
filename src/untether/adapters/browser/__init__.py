"""What a browser gives to its Python: sockets and private files."""
