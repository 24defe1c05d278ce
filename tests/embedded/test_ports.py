"""Ports that are given out: free, and to nobody else before whoever asked listens there."""

import os
import socket

import pytest

from deploy.embedded.ports import HOST, PORTS, free_ports


def test_a_process_gets_no_port_twice_though_nobody_listens_there_yet() -> None:
    given = []
    for _ in range(500):
        with free_ports([0]) as (port,):
            given.append(port)

    assert len(set(given)) == 500
    assert set(given) <= set(PORTS)


def test_neighbours_look_for_ports_in_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Workers of one run have pids that follow each other.
    """
    given: list[set[int]] = []
    for neighbour in range(4):
        me = os.getpid()
        with monkeypatch.context() as patched:
            patched.setattr(os, "getpid", lambda pid=me + neighbour: pid)
            with free_ports([0] * 100) as ports:
                given.append(set(ports))

    assert len(set[int]().union(*given)) == 400


def test_a_port_that_is_wished_for_is_given_where_it_is_free() -> None:
    with free_ports([0]) as (port,):
        with free_ports([port]) as (other,):
            assert other != port
    with free_ports([port]) as (again,):
        assert again == port
        with socket.socket() as taken, pytest.raises(OSError):
            taken.bind((HOST, port))
