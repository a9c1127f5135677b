"""Portal access: tokens with which a subject reads its own usage."""
