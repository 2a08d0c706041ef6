"""What gunicorn runs. It is loaded once, before the workers, who then share it (`--preload`)."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.loglist.django_settings")
application = get_wsgi_application()
# All pages now, once, and not in each worker at its first click.
get_resolver().url_patterns  # noqa: B018 # reading it imports them
