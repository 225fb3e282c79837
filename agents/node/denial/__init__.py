"""The fast lane: denied attempts are told within a second or two, ahead of the interval that counts them."""
