"""Discovery: finds the addresses of a site's pages."""
