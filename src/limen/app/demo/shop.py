"""Acme Shop: a small web shop that signs its customers in with Limen by OpenID Connect. It knows Limen by its issuer address alone.

An application of its own (ASGI), with its own session cookie and a public client library (Authlib): what a customer's engineer would write.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from httpx2 import HTTPError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from limen.kernel import secrets

if TYPE_CHECKING:
    from starlette.requests import Request

_PAGES: Final = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined)


_KNOWN: Final = {"given_name": "First name", "family_name": "Last name", "email": "E-mail", "birthdate": "Birthday", "locale": "Language"}
"""The claims the shop shows, and its words for them."""


@dataclass(frozen=True)
class Product:
    """Something to sell: its name, what it is, its price in euro, and the file of its drawing."""

    name: str
    words: str
    price: str
    picture: str


PRODUCTS: Final = (
    Product("Ridge tent", "Two people, 1.9 kg, stands in a storm.", "329", "tent"),
    Product("Ember stove", "Boils half a litre in three minutes.", "79", "stove"),
    Product("Trail lantern", "Forty hours of warm light.", "45", "lantern"),
    Product("Meridian compass", "Knows the way when the phone does not.", "38", "compass"),
)


@dataclass(frozen=True)
class ShopSettings:
    """Where the shop's identity provider is, and who the shop is to it."""

    issuer: str
    client_id: str
    client_secret: str


class Shop:
    """The shop's pages. A visitor's session is a signed cookie of the shop's own."""

    def __init__(self, settings: ShopSettings) -> None:
        self._settings = settings
        self._limen = OAuth().register(
            "limen",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
        )

    def page(self, request: Request, name: str, status: int = 200, **values: object) -> Response:
        """Render one of the shop's templates."""
        customer = request.session.get("customer")
        return HTMLResponse(_PAGES.get_template(name).render(customer=customer, issuer=self._settings.issuer, **values), status)

    async def home(self, request: Request) -> Response:
        return self.page(request, "home.html", products=PRODUCTS)

    async def sign_in(self, request: Request) -> Response:
        extra = {"prompt": "create"} if request.query_params.get("new") else {}
        for begun in [key for key in request.session if key.startswith("_state_")][:-1]:
            del request.session[begun]  # tries that were given up: the cookie has room for few
        try:
            answer: Response = await self._limen.authorize_redirect(request, str(request.url_for("callback")), **extra)
        except HTTPError:
            return self.page(request, "trouble.html", 503, reason="The sign-in service does not answer just now. Try again in a minute.")
        return answer

    async def callback(self, request: Request) -> Response:
        try:
            token = await self._limen.authorize_access_token(request)
        except OAuthError as error:
            return self.page(request, "trouble.html", 400, reason=error.description or error.error)
        claims = token["userinfo"]
        profile = await self._limen.userinfo(token=token)
        request.session["customer"] = {
            "name": profile.get("given_name") or profile.get("name") or profile.get("email"),
            "email": profile.get("email"),
            "sub": claims["sub"],
            "acr": claims.get("acr", ""),
            "known": [(word, profile[name]) for name, word in _KNOWN.items() if profile.get(name)],
        }
        request.session["id_token"] = token["id_token"]
        return RedirectResponse(request.url_for("account"), 303)

    async def account(self, request: Request) -> Response:
        if "customer" not in request.session:
            return RedirectResponse(request.url_for("sign_in"), 303)
        return self.page(request, "account.html", known=request.session["customer"]["known"])

    async def sign_out(self, request: Request) -> Response:
        hint = request.session.get("id_token", "")
        request.session.clear()
        metadata = await self._limen.load_server_metadata()
        query = urlencode({"id_token_hint": hint, "client_id": self._settings.client_id, "post_logout_redirect_uri": str(request.url_for("home"))})
        return RedirectResponse(f"{metadata['end_session_endpoint']}?{query}", 303)


def shop(settings: ShopSettings) -> Starlette:
    """Return the shop as an ASGI application."""
    pages = Shop(settings)
    return Starlette(
        routes=[
            Route("/", pages.home, name="home"),
            Route("/signin", pages.sign_in, name="sign_in"),
            Route("/callback", pages.callback, name="callback"),
            Route("/account", pages.account, name="account"),
            Route("/signout", pages.sign_out, name="sign_out", methods=["POST"]),
        ],
        # the cookie's key lives as long as the process: a restarted demo begins with nobody signed in
        middleware=[Middleware(SessionMiddleware, secret_key=secrets.token(), session_cookie="acme_shop", same_site="lax", max_age=3600)],
    )
