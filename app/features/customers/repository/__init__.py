"""SQL on customers and on what is known about each of them."""
