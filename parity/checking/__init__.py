"""Any layer, held to the laws: is it right; if not, on which smallest case; and what is the mistake."""

from .adapter import Adapter
from .check import Examination, Report, check, law_tests

__all__ = ["Adapter", "Examination", "Report", "check", "law_tests"]
