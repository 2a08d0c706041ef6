"""Sections of the secrecy act (2009:400) that log lists of a municipality often need."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Offered while a section is typed; any other can be written.
COMMON: list[tuple[str, str | Promise]] = [
    ("18 kap. 8 § OSL", _("security measures")),
    ("19 kap. 3 § OSL", _("procurement and tenders")),
    ("21 kap. 1 § OSL", _("health and sexual life")),
    ("21 kap. 3 § OSL", _("how a threatened person can be reached")),
    ("23 kap. 1 § OSL", _("preschool")),
    ("23 kap. 2 § OSL", _("school and pupils' health")),
    ("25 kap. 1 § OSL", _("health care")),
    ("26 kap. 1 § OSL", _("social services")),
    ("31 kap. 16 § OSL", _("business relations with the authority")),
    ("39 kap. 2 § OSL", _("staff: health and personal matters")),
    ("39 kap. 3 § OSL", _("staff: home address, personal number")),
]
