"""The page's server: reads and writes for one person on this machine."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from twinloop.errors import TwinloopError
from twinloop.report.comparison import compare, comparison_data
from twinloop.scenario.edits import set_value
from twinloop.studio.guard import PAGE_POLICY, REPORT_POLICY, cookie_name, refusal
from twinloop.studio.runs import Refused, Runs
from twinloop.studio.session import Session
from twinloop.studio.verdict import verdict

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
LARGEST_B = 2_000_000
"""A request holds one scenario of at most a megabyte."""
RESULTS = {
    "report": ("report.html", "text/html"),
    "plan.json": ("plan.json", "application/json"),
    "scenario.yaml": ("scenario.yaml", "application/yaml"),
    "equipment.csv": ("equipment.csv", "text/csv"),
}
Text = Annotated[str, Body(embed=True, max_length=1_000_000)]


def application(session: Session, runs: Runs) -> FastAPI:
    """Return the server of ``session``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        yield
        runs.close()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    _guarded(app, session)
    _pages(app, session)
    _scenario(app, session)
    _plans(app, session, runs)

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 409)

    @app.exception_handler(TwinloopError)
    def wrong(_: Request, error: TwinloopError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422)

    return app


def _guarded(app: FastAPI, session: Session) -> None:
    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        given = request.query_params.get("token")
        cookies = request.cookies if given is None else {cookie_name(session.port): given}
        why = refusal(request.method, request.headers, cookies, session.token, session.port)
        if why is not None:
            return PlainTextResponse(f"twinloop studio: {why}\n", 403)
        if int(request.headers.get("content-length", 0)) > LARGEST_B:
            return PlainTextResponse("twinloop studio: too large\n", 413)
        response = await call_next(request)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def _pages(app: FastAPI, session: Session) -> None:
    @app.get("/")
    def index(token: str | None = None) -> Response:
        if token is not None and hmac.compare_digest(token.encode(), session.token.encode()):
            # The token leaves the address bar, and history, at once.
            response: Response = RedirectResponse("/", 303)
            response.set_cookie(cookie_name(session.port), session.token, httponly=True, samesite="strict")
            return response
        return _asset("studio.html")

    @app.get("/assets/{name}")
    def asset(name: str) -> Response:
        return _asset(name) if name in ("studio.css", "studio.js", "editor.js") else Response(status_code=404)

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)


def _asset(name: str) -> Response:
    text = files("twinloop.studio").joinpath("page", name).read_text("utf-8")
    return Response(text, media_type=TYPES[name.rsplit(".", 1)[1]])


def _scenario(app: FastAPI, session: Session) -> None:
    @app.get("/api/scenario")
    def scenario() -> dict[str, Any]:
        return {"text": session.text, "file": str(session.file), "saves": session.saves}

    @app.post("/api/check")
    def check(text: Text) -> dict[str, Any]:
        return verdict(text, session.file)

    @app.post("/api/set")
    def change(text: Text, path: Annotated[list[str | int], Body()], value: Annotated[str, Body()]) -> dict[str, str]:
        return {"text": set_value(text, tuple(path), value)}

    @app.post("/api/save")
    def save(text: Text) -> dict[str, str]:
        session.save(text)
        return {"file": str(session.file)}


def _plans(app: FastAPI, session: Session, runs: Runs) -> None:
    @app.get("/api/plans")
    def plans() -> list[dict[str, Any]]:
        return runs.all()

    @app.post("/api/plans")
    def start(text: Text) -> dict[str, Any]:
        found = verdict(text, session.file)
        if not found["ok"]:
            raise Refused("the scenario has faults: mend them first")
        return {"id": runs.start(text, found["name"]).ident}

    @app.delete("/api/plans/{ident}")
    def cancel(ident: int) -> dict[str, Any]:
        runs.cancel(ident)
        return {}

    @app.post("/api/plans/{ident}/ask")
    def ask(ident: int, moved: Annotated[dict[str, float], Body(embed=True)]) -> dict[str, Any]:
        return runs.ask(ident, moved)

    @app.get("/api/compare")
    def comparison(ids: str) -> dict[str, Any]:
        # A plan may have been removed since the page drew it: the others still stand side by side.
        chosen = [run for each in ids.split(",") if each.isdecimal() and (run := runs.find(int(each))) is not None]
        named = tuple((f"{run.ident} {run.name}", plan) for run in chosen if (plan := run.plan()) is not None)
        return comparison_data(compare(named)) if named else {}

    @app.get("/plans/{ident}/{name}")
    def result(ident: int, name: str) -> Response:
        if name not in RESULTS:
            return Response(status_code=404)
        file, kind = RESULTS[name]
        path = runs.get(ident).folder / file
        if not path.is_file():
            return Response(status_code=404)
        headers = {"Content-Security-Policy": REPORT_POLICY}
        if name != "report":
            headers["Content-Disposition"] = f'attachment; filename="{ident}-{file}"'
        return Response(path.read_bytes(), media_type=kind, headers=headers)
