"""Which address shows what."""

from django.urls import path
from django.views.i18n import set_language

from compliance.loglist import views

urlpatterns = [
    path("", views.start, name="start"),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("language", set_language, name="language"),
    path("health", views.health, name="health"),
    path("units/<slug:unit>/", views.log_list, name="list"),
    path("units/<slug:unit>/<uuid:outbox>/<int:sequence>", views.entry, name="entry"),
    path("units/<slug:unit>/export.<slug:form>", views.export, name="export"),
    path("trail/", views.trail, name="trail"),
    path("trail/<slug:unit>/", views.trail, name="trail-of"),
]
