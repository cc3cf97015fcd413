"""REST, streams, the web page, and who may use them. Routes hold no rules: those live in `services`."""

from penstock.server.application import Application, app
from penstock.server.listening import listen
from penstock.server.news import News

__all__ = ["Application", "News", "app", "listen"]
