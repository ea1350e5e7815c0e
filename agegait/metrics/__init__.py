"""Metrics of recognition, retrieval, verification and open sets. NumPy in, plain floats and arrays out.

Four protocols, never to be mixed in one table:

- **Recognition**: a classifier scores each of N known people; `scores` [B, N], higher is better, `labels` [B].
  `rank_k`, `cmc`, `nauc_cmc`, `nauc_roc`.
- **Retrieval**: a probe is compared with every gallery entry; `distances` [P, G], lower is better, and the person of
  each probe [P] and of each gallery entry [G]. `retrieval_rank_k`, `retrieval_cmc`, `mean_average_precision`,
  `mean_inverse_negative_penalty`; all of them probe by probe from `search`.
- **Verification**: somebody claims to be somebody; `scores` [C] of the claims, higher is better, and whether each is
  `genuine` [C]. `roc`, `equal_error`, `true_accept_rate`, `acceptance_threshold`.
- **Open set**: people who were never enrolled come too, and are to be named nobody. `acceptance_threshold` over their
  best scores, `detection_identification_rate` for those who were enrolled.

Ties count against the method wherever there are ranks: whoever scores the same as the right answer is ranked before
it. A classifier that gives everybody the same score thus has a Rank-1 of 0, not of 1 or of whatever a sort happens to
do. A threshold lets everybody pass who scores as high as it.
"""

from agegait.metrics.arguments import matrix
from agegait.metrics.open_set import detection_identification_rate
from agegait.metrics.recognition import cmc, nauc_cmc, nauc_roc, rank_k
from agegait.metrics.retrieval import (
    Search,
    mean_average_precision,
    mean_inverse_negative_penalty,
    retrieval_cmc,
    retrieval_rank_k,
    search,
)
from agegait.metrics.verification import EqualError, Roc, acceptance_threshold, equal_error, roc, true_accept_rate

__all__ = [
    "EqualError",
    "Roc",
    "Search",
    "acceptance_threshold",
    "cmc",
    "detection_identification_rate",
    "equal_error",
    "matrix",
    "mean_average_precision",
    "mean_inverse_negative_penalty",
    "nauc_cmc",
    "nauc_roc",
    "rank_k",
    "retrieval_cmc",
    "retrieval_rank_k",
    "roc",
    "search",
    "true_accept_rate",
]
