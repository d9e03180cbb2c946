"""The wiring of one bridge, top to bottom as its data flows: in through the edges, into the store, out through the
sinks.

push, line protocol ──> Batch ──> store (log, head) ──> sinks
                                      └──> /metrics, the API, the page
"""

import asyncio
import contextlib
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog
from anyio import to_thread
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import ASGIApp

from bridge import __version__, promql
from bridge.api import (
    BlockStatus,
    Browse,
    Cors,
    Engines,
    Entrance,
    Exemplars,
    Expressions,
    Facts,
    Features,
    HeadStatus,
    Lifecycle,
    MappingPreview,
    Metadata,
    Queries,
    QueryLog,
    Reloads,
    SinkStatus,
    TsdbAdmin,
    WalReplay,
    Works,
    api_routes,
    samples_of,
)
from bridge.buffer import CURSORS, Cursors, Files, Position, State, Store
from bridge.clock import Clock
from bridge.config import Settings, Web, flags
from bridge.edge import Answering, Front, Gate, Guard, WatchedPolicy
from bridge.federation import Federate
from bridge.forward import ForwardMetrics, Sink, Sinks, SinkSettings, StoredHistory
from bridge.forward.reconcile import ReconcileMetrics, Reconciler
from bridge.line_protocol import LineMetrics, line_routes
from bridge.native import PushTable
from bridge.otlp import OtlpMetrics, OtlpRoute
from bridge.promql import EngineOptions, Limits, ParserOptions
from bridge.pushgw import SCHEMA, Groups, Keeper, MetricsPage, Projection, PushApi, PushMetrics, PushRoute
from bridge.remote_write import (
    REPLICAS,
    ReadMetrics,
    ReadRoute,
    ReplicaMetrics,
    Replicas,
    WriteMetrics,
    WriteRoute,
)
from bridge.telemetry import new_registry
from bridge.ui import page_routes

__all__ = ["Bridge", "Door"]

logger = structlog.get_logger(__name__)

ReadSettings = Callable[[], Settings]


class Door:
    """What requests come in through, from the first moment on: before a bridge is open behind it, it says how far
    reading the log has come."""

    def __init__(self, web: Web, clock: Clock) -> None:
        self.replay = WalReplay()
        self._entrance = Entrance(self.replay, web.prefix)
        app: ASGIApp = Answering(self._entrance)
        self.asgi = app if web.config_file is None else Guard(app, WatchedPolicy(web.config_file, clock))

    def open(self, app: ASGIApp) -> None:
        """From now on `app` answers."""
        self.replay.finish()
        self._entrance.open(app)


class Bridge:
    """A running bridge; `quit` is set when somebody asks it to end. Made by `open`."""

    def __init__(self, parts: "_Parts", read_settings: ReadSettings, replay: WalReplay) -> None:
        self._parts = parts
        self._read_settings = read_settings
        self._replay = replay
        self._reloads = Reloads(parts.clock)
        self._engines = Engines(lambda: _engine(parts))
        self.quit = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, settings: Settings, read_settings: ReadSettings, clock: Clock, door: Door
    ) -> AsyncIterator["Bridge"]:
        """Open the store, recover the groups, run the chores and the sinks, then the door; on leaving, drain and close
        all of it.

        `read_settings` reads the configuration again for a reload. Raises ConfigError and OSError when the data
        directory cannot be used.
        """
        async with contextlib.AsyncExitStack() as stack:
            parts = await _open_parts(settings, clock, door.replay, stack)
            bridge = cls(parts, read_settings, door.replay)
            door.open(bridge.front())
            yield bridge

    async def reload(self) -> None:
        """Read the configuration and take what can change while running. Raises ConfigError; then nothing has
        changed."""
        self._reloads.done(ok=False)
        settings = self._read_settings()
        parts = self._parts
        kept = {"web": parts.settings.web, "storage": parts.settings.storage}
        for section, in_force in kept.items():
            if getattr(settings, section) != in_force:
                logger.warning("this section takes effect after a restart", section=section)
        if settings.promql != parts.settings.promql:
            self._engines.renew()
        parts.settings = settings.model_copy(update=kept)
        parts.groups.configure(settings.push)
        parts.keeper.configure(settings.push)
        parts.push.configure(settings.push)
        parts.gate.limit = settings.push.max_inflight_bytes
        parts.read.configure(settings.global_.external_labels)
        parts.otlp.configure(settings.otlp)
        parts.write.configure(settings.remote_write_receiver)
        await parts.sinks.configure(settings.sinks)
        parts.reconciler.configure(settings.reconcile)
        self._reloads.done(ok=True)
        logger.info("configuration reloaded")

    def front(self) -> ASGIApp:
        """Everything that answers requests."""
        prefix = self._parts.settings.web.prefix
        routes = {prefix + path: app for path, app in self._routes().items()}
        return Front(routes, first=(f"{prefix}/metrics/", self._parts.push))

    def _routes(self) -> Mapping[str, ASGIApp]:
        """By path, without the route prefix; a component in braces stands for any."""
        parts, web = self._parts, self._parts.settings.web
        lifecycle = Lifecycle(
            unready=parts.store.problem,
            unhealthy=parts.store.fatal,
            reload=self.reload,
            quit_=self.quit.set,
            quit_enabled=web.enable_lifecycle,
        )
        build = {"version": __version__, "pythonVersion": platform.python_version()}
        push_api = PushApi(parts.groups, build, lambda: flags(parts.settings), parts.clock.now_ms())
        routes: dict[str, ASGIApp] = {
            **page_routes(web),
            **line_routes(parts.store.append, gate=parts.gate, clock=parts.clock, metrics=LineMetrics(parts.registry)),
            web.telemetry_path: MetricsPage(parts.groups.table, parts.registry),
            "/-/healthy": lifecycle.healthy,
            "/-/ready": lifecycle.ready,
            "/-/reload": lifecycle.reload,
            "/-/quit": lifecycle.quit,
            "/api/v1/status": push_api.status,
            "/api/v1/metrics": push_api.metrics,
            "/api/v1/read": parts.read,
            "/api/v1/otlp/v1/metrics": parts.otlp,
            "/api/v1/write": parts.write,
            "/api/v1/status/sinks": SinkStatus(parts.sinks.rows),
            "/api/v1/mapping/preview": MappingPreview(parts.store, parts.sinks.settings),
            "/api/v1/status/tsdb": HeadStatus(parts.store.head),
            "/api/v1/status/tsdb/blocks": BlockStatus(parts.store.metas),
            "/federate": Federate(parts.store.querier, lambda: parts.settings, parts.clock),
        }
        admin = TsdbAdmin(parts.store.admin, parts.gate, enabled=web.enable_admin_api)
        routes |= {
            "/api/v1/admin/tsdb/delete_series": admin.delete_series,
            "/api/v1/admin/tsdb/clean_tombstones": admin.clean_tombstones,
            "/api/v1/admin/tsdb/snapshot": admin.snapshot,
        }
        if web.enable_admin_api:
            routes |= {"/api/v1/admin/wipe": push_api.wipe, "/api/v1/admin/groups": push_api.delete_groups}
        cors = Cors(web.cors_origin)
        prometheus = {**self._prometheus_routes(routes), **{path: routes.pop(path) for path in _CROSS_ORIGIN}}
        routes |= {path: cors.wrap(app) for path, app in prometheus.items()}
        return {**routes, "/api/v1/{rest:path}": cors.anywhere}

    def _prometheus_routes(self, others: Mapping[str, ASGIApp]) -> Mapping[str, ASGIApp]:
        parts, clock, store = self._parts, self._parts.clock, self._parts.store
        log = QueryLog(lambda: parts.settings.promql, clock)

        def parser_options() -> ParserOptions:
            return _engine_options(parts.settings).parser

        works = Works(
            queries=Queries(self._engines, lambda: parts.settings.promql, log, clock),
            expressions=Expressions(parser_options),
            exemplars=Exemplars(store.head, parser_options),
            browse=Browse(store.querier, lambda: parts.settings.promql),
            metadata=Metadata(store.head),
            facts=Facts(
                lambda: parts.settings,
                self._reloads,
                lambda: parts.registry.get_sample_value("pushbridge_wal_corruptions"),
                clock,
            ),
            features=Features(lambda: parts.settings, lambda: _engine_options(parts.settings), others),
        )
        return {**api_routes(works, parts.gate), "/api/v1/status/walreplay": self._replay}


def _engine(parts: "_Parts") -> "promql.Engine":
    """What evaluates PromQL, as the settings want it."""
    settings = parts.settings.promql
    limits = Limits(
        series=settings.max_series,
        samples=settings.max_samples,
        timeout=settings.timeout.seconds,
        concurrency=settings.concurrency,
    )
    select = samples_of(parts.store.querier)
    return promql.Engine(select, _engine_options(parts.settings), limits, clock=parts.clock)


def _engine_options(settings: Settings) -> EngineOptions:
    parser = ParserOptions.everything() if settings.promql.experimental else ParserOptions()
    return EngineOptions(
        parser,
        lookback=settings.promql.lookback_delta,
        delayed_name_removal=settings.promql.delayed_name_removal,
    )


_CROSS_ORIGIN = (
    "/api/v1/status/tsdb",
    "/api/v1/status/tsdb/blocks",
    "/api/v1/admin/tsdb/delete_series",
    "/api/v1/admin/tsdb/clean_tombstones",
    "/api/v1/admin/tsdb/snapshot",
)


@dataclass
class _Parts:
    """What a bridge is made of."""

    settings: Settings
    clock: Clock
    registry: CollectorRegistry
    groups: Groups
    keeper: Keeper
    push: PushRoute
    read: ReadRoute
    otlp: OtlpRoute
    write: WriteRoute
    sinks: Sinks
    reconciler: Reconciler
    store: Store
    gate: Gate


async def _open_parts(settings: Settings, clock: Clock, replay: WalReplay, stack: contextlib.AsyncExitStack) -> _Parts:
    """State, groups, store, chores, edges: each closed after what uses it."""
    registry = new_registry()
    files = Files()
    path = settings.storage.path
    files.make_dir(path)
    state = State.open(path / "state.db", [CURSORS, SCHEMA, REPLICAS], files)
    stack.push_async_callback(state.close)

    table = PushTable(settings.push.max_groups, settings.push.max_series)
    projection = Projection(state)
    seen, groups_then = projection.load()
    for group in groups_then:
        table.recover(group)

    def roll_forward(position: Position, event: bytes) -> None:
        if seen is None or position > seen:
            table.recover(event)

    store = await to_thread.run_sync(
        partial(
            Store.open,
            path,
            settings=settings.storage,
            clock=clock,
            registry=registry,
            files=files,
            on_event=roll_forward,
            progress=replay.note,
        )
    )
    stack.push_async_callback(store.close)
    store.add_owner(projection)
    logger.info("push groups recovered", groups=table.finish_recovery())

    groups = Groups(table, store, settings.push, clock)
    store.on_commit(groups.batch_committed)
    store.on_rollback(groups.batches_rolled_back)
    gate = Gate(settings.push.max_inflight_bytes)
    metrics = PushMetrics(registry, table, gate)
    keeper = Keeper(groups, projection, settings.push, durable=store.durable, clock=clock, metrics=metrics)
    chores = asyncio.create_task(keeper.run())
    stack.push_async_callback(keeper.finish)
    stack.push_async_callback(_cancel, chores)

    upkeep = asyncio.create_task(store.run())
    stack.push_async_callback(_cancel, upkeep)

    prefix = f"{settings.web.prefix}/metrics/".encode()
    push = PushRoute(groups, settings.push, metrics, gate, prefix=prefix)
    external = settings.global_.external_labels
    read = ReadRoute(store.querier, external, gate=gate, metrics=ReadMetrics(registry))
    otlp = OtlpRoute(store.append, settings.otlp, gate=gate, clock=clock, metrics=OtlpMetrics(registry))
    write = _write_route(store, state, settings, clock=clock, registry=registry)
    sinks = _sinks(store, state, files, settings, clock=clock, registry=registry)
    stack.push_async_callback(sinks.stop)
    await sinks.configure(settings.sinks)
    reconciler = Reconciler(
        StoredHistory(store.querier),
        sinks=sinks.settings,
        rejected=path / "rejected",
        clock=clock,
        metrics=ReconcileMetrics(registry),
    )
    reconciler.configure(settings.reconcile)
    stack.push_async_callback(_cancel, asyncio.create_task(reconciler.run()))

    table.reserve(generate_latest(registry))
    return _Parts(settings, clock, registry, groups, keeper, push, read, otlp, write, sinks, reconciler, store, gate)


def _write_route(
    store: Store, state: State, settings: Settings, *, clock: Clock, registry: CollectorRegistry
) -> WriteRoute:
    receiver = settings.remote_write_receiver
    gate = Gate(receiver.max_inflight_bytes)
    replicas = Replicas(state, clock, ReplicaMetrics(registry))
    return WriteRoute(store, receiver, gate=gate, clock=clock, metrics=WriteMetrics(registry, gate), replicas=replicas)


def _sinks(
    store: Store, state: State, files: Files, settings: Settings, *, clock: Clock, registry: CollectorRegistry
) -> Sinks:
    metrics = ForwardMetrics(registry)
    cursors = Cursors(state)
    store.add_readers(cursors)
    rejected = settings.storage.path / "rejected"

    def make(sink: SinkSettings) -> Sink:
        return Sink(
            sink,
            log=store,
            history=StoredHistory(store.querier),
            cursors=cursors,
            files=files,
            rejected=rejected,
            clock=clock,
            metrics=metrics,
            kept_for=store.kept_for,
        )

    return Sinks(make, metrics)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
