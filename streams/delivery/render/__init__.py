"""One file a kind of receiver: an alert as its API wants it. Names in alerts come from whoever made them."""
