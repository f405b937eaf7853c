"""The connections, files and threads of a server process, seen from outside."""

from dataclasses import dataclass

import psutil

from tests.support.polling import eventually
from tests.support.servers import Server


@dataclass(frozen=True)
class Resources:
    """What a server process holds, seen from outside. Sockets to the provider may stay open for the next request."""

    viewers: int
    upstream: int
    database: int
    files: int
    threads: int
    memory: int

    @classmethod
    def measure(cls, server: Server, provider_port: int = 0) -> "Resources":
        process = psutil.Process(server.process.pid)
        linked = [each for each in process.net_connections("tcp") if each.status == psutil.CONN_ESTABLISHED]
        return cls(
            viewers=sum(1 for each in linked if each.laddr.port == server.port),
            upstream=sum(1 for each in linked if each.raddr and each.raddr.port == provider_port),
            database=len(process.net_connections("unix")),
            files=process.num_fds(),
            threads=process.num_threads(),
            memory=process.memory_info().rss,
        )

    def beyond(self, before: "Resources", *, pool: int = 9) -> list[str]:
        """What this has in addition to the state before the scenario. The connection pool and the threads may have
        grown."""
        grown = []
        for name, room in (("viewers", 0), ("upstream", 0), ("database", pool), ("threads", 2 * pool)):
            more = getattr(self, name) - getattr(before, name)
            if more > room:
                grown.append(f"{more} {name} more")
        return grown


def wait_released(server: Server, before: Resources, provider_port: int = 0, timeout: float = 25.0) -> Resources:
    """Wait until a server holds no more than before; unused sockets to a provider are closed after 15 s."""
    eventually(lambda: not Resources.measure(server, provider_port).beyond(before), "nothing left over", timeout)
    return Resources.measure(server, provider_port)
