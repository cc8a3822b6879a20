"""What is measured."""

from dataclasses import dataclass, field

OPEN_PAGES, ASK_EVERY = 1000, 4  # seconds


@dataclass
class Figures:
    """All that was measured. Times are in milliseconds, sizes in thousands of bytes."""

    core_ms: list[float] = field(default_factory=list)  # of one loop that is always the same, between the steps
    pages_per_s: dict[int, float] = field(default_factory=dict)
    constant_per_s: dict[int, float] = field(default_factory=dict)
    vs_constant: dict[int, float] = field(default_factory=dict)
    page_ms: dict[int, float] = field(default_factory=dict)
    flat: float = 0.0
    constant_ms: float = 0.0
    reader_ms: dict[tuple[int, str, str], float] = field(default_factory=dict)
    reader_again_ms: dict[tuple[int, str, str], float] = field(default_factory=dict)  # the same deep pages, once more
    page_kb: dict[tuple[int, str, str], float] = field(default_factory=dict)  # by brotli, as browsers ask for it
    page_gzip_kb: dict[tuple[int, str, str], float] = field(default_factory=dict)
    post_ms: float = 0.0
    post_p99_ms: float = 0.0
    posts_per_s: float = 0.0
    posts_stored: int = 0
    compared_posts_per_s: float = 0.0  # in turns with the bare ones
    bare_posts_per_s: float = 0.0
    posts_vs_bare: float = 0.0
    vote_ms: float = 0.0
    asks_per_s: float = 0.0
    asks_cpu: float = 0.0  # seconds for each thousand
    fanout_post_ratio: float = 0.0
    handover_ratio: float = 0.0
    mails_per_s: float = 0.0
    bare_mails_per_s: float = 0.0
    mail_memory_mb: float = 0.0  # that the worker took more while it sent
    memory_mb: dict[str, float] = field(default_factory=dict)
