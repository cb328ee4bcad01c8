"""Files from outside, read in a process of their own that may take so much memory and no more.

The libraries that unpack workbooks and Parquet believe what a file says of itself: a few hundred
bytes make them ask for gigabytes, and some end their process when they do not get them. Here it is
a child that ends, and the file is refused. Children import little: they start in no time.

So does the child that proves rule sets, by the same program, which `app.infra.prover` starts.
"""

from app.infra.confined.parent import Limits, confined
from app.infra.confined.refusal import Refused

__all__ = ["Limits", "Refused", "confined"]
