"""Retry and timeout: a step that fails at times is tried again; one that hangs is ended.

penstock run examples/retry/pipeline.py
"""

import penstock
from penstock import dsl


@penstock.component
def unreliable(attempt: int, good_from: int) -> int:
    """Fail before a certain attempt, as a network might."""
    print(f"attempt {attempt}")
    if attempt < good_from:
        raise ConnectionError(f"attempt {attempt} failed, attempt {good_from} will not")
    return attempt


@dsl.pipeline(name="retry")
def try_again(good_from: int = 2):
    """Try up to four times, with a short wait before each further attempt.

    Args:
        good_from: The first attempt that does not fail, from 0.
    """
    step = unreliable("{{retries}}", good_from)
    step.set_retry(3, backoff_duration="1s", backoff_factor=1)
    step.set_timeout(60)
