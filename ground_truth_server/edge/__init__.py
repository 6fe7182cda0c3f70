"""What stands before every socket: who may ask, from where, with which key, and how much."""
