"""A user's taste in closed form: ridge regression on learnt item factors.

    u_q  =  u0 + A^-1 (E_S^T D y_q - (A - l I) u0),   A = E_S^T D E_S + w0 E^T E + l I

The local update is solved exactly, and the factors are learnt through it (R2-D2, Bertinetto et al.,
ICLR 2019, eq. 4; ALPaCA, Harrison et al., 2018). With u0 = 0 it is the fold-in of weighted matrix
factorisation (Hu, Koren and Volinsky, ICDM 2008, eq. 4): every item counts a little as not chosen
(w0), those of the support as chosen, the last ones most (D). w0, l and r are learnt.
`choice.posterior` has the equations whole: a user's vector is the mean of a posterior, whose
covariance evidence is chosen by.

Shapes: B tasks, F factors, Q = 2 questions.
"""

from __future__ import annotations

from torch import Tensor

from meta_model.choice.model import Items, UserVectors
from meta_model.choice.posterior import posterior_means
from meta_model.data.tasks import Tasks


class Ridge(UserVectors):
    """Ridge regression: no step size, no number of steps, and no parameters of its own."""

    def adapt(self, tasks: Tasks, items: Items) -> Tensor:
        """The local update, u [Q, B, F]: the regression's exact solution."""
        return posterior_means(self, tasks, items)
