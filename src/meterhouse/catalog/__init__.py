"""The product catalogue: features, and later plans and add-ons."""
