"""Two profiles: the default, the same cases each time; and ``--hypothesis-profile=thorough``, fresh ones, many more."""

import os

# the cases are small: a second thread costs more than it brings
for library in ("OPENBLAS", "OMP", "MKL"):  # read once, when NumPy is imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

import numpycnn as nc  # noqa: E402

slow_is_fine = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", max_examples=50, derandomize=True, database=None, **slow_is_fine)
settings.register_profile("thorough", max_examples=1250, print_blob=True, **slow_is_fine)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_setting_stays():
    """Give every test the number of threads that it starts with: scripts set it for their whole process."""
    ours, theirs = nc.get_num_threads(), torch.get_num_threads()
    yield
    nc.set_num_threads(ours)
    torch.set_num_threads(theirs)
