"""What the black-box tests play the world with: peers, media, books and a record of the wire."""
