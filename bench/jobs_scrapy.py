"""Scrapy on the same pages: fetch and extract, keep nothing. Prints what it did as JSON.

python -m bench.jobs_scrapy http://127.0.0.1:PORT 1000
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess

CONCURRENCY = 32


class Listings(scrapy.Spider):
    """Titles, prices and links of all products of all pages."""

    name = "listings"
    found = 0
    began_at = ended_at = 0.0

    def __init__(self, base_url: str, count: int) -> None:
        super().__init__()
        self.start_urls = [f"{base_url}/list/{number}" for number in range(count)]

    def parse(self, response: Any, **_: Any) -> Iterator[dict[str, Any]]:
        Listings.began_at = Listings.began_at or time.monotonic()
        Listings.found += 1
        for card in response.css("article.product-card"):
            yield {
                "title": card.css("h3 a::text").get(),
                "price": float(card.css(".price::text").re_first(r"[\d.]+")),
                "link": response.urljoin(card.css("h3 a::attr(href)").get()),
            }
        Listings.ended_at = time.monotonic()


def main(base_url: str, count: int) -> None:
    process = CrawlerProcess(
        {
            "LOG_ENABLED": False,
            "CONCURRENT_REQUESTS": CONCURRENCY,
            "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENCY,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    crawler = process.create_crawler(Listings)
    process.crawl(crawler, base_url=base_url, count=count)
    process.start()
    stats = crawler.stats.get_stats()
    seconds = Listings.ended_at - Listings.began_at
    print(
        json.dumps({"pages": Listings.found, "items": stats.get("item_scraped_count", 0), "seconds": seconds})
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
