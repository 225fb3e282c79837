"""Reads the heads of HTTP/1 messages (RFC 9112) at the beginning of a packet, with httptools, as far as they are there.

Every packet gets a parser of its own: what follows the first segment of a head or a body was never shown to us.
"""

from collections.abc import Mapping
from typing import Final

import httptools

from agents.node.application.head import (
    CONTENT_TYPE_LENGTH,
    HOST_LENGTH,
    IDENTIFIER_LENGTH,
    METHOD_LENGTH,
    PATH_LENGTH,
    USER_AGENT_LENGTH,
    RequestHead,
    ResponseHead,
    clean_text,
    split_target,
)

_PAYLOAD_BYTES: Final = 16_384
"""Of a packet that is larger, the rest is not read."""
_MESSAGES: Final = 128
"""Of pipelined messages in one packet, the rest is not read."""
_LARGEST_BODY: Final = 1 << 30
"""A longer body leaves the half of the sequence numbers in which before and after can be told."""
_LINE_END: Final = b"\r\n"
_HEAD_END: Final = b"\r\n\r\n"
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_LEAST_STATUS: Final = 100
_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
_WANTED: Final = _LENGTHS | {b"host", b"user-agent", b"x-request-id", b"traceparent", b"content-type"}
_UNKNOWN: Final = -1


def parse_requests(payload: bytes) -> list[RequestHead]:
    """Heads of the requests that begin in this packet; none when it does not begin with a request line."""
    collector = _Requests(payload[:_PAYLOAD_BYTES])
    collector.read()
    return collector.heads


def parse_responses(payload: bytes) -> list[ResponseHead]:
    """Heads of the responses that begin in this packet; none when it does not begin with a status line."""
    collector = _Responses(payload[:_PAYLOAD_BYTES])
    collector.read()
    return collector.heads


class _Requests:
    """Takes the parser's callbacks."""

    __slots__ = ("_head_bytes", "_headers", "_is_open", "_parser", "_payload", "_url", "heads")

    def __init__(self, payload: bytes) -> None:
        self.heads: list[RequestHead] = []
        self._payload = payload
        self._head_bytes = _head_bytes(payload)
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._is_open = False

    def read(self) -> None:
        try:
            self._parser.feed_data(self._payload if self._head_bytes >= 0 else _closed(self._payload))
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            if self._parser.get_http_version() not in _VERSIONS:
                return
        if self._is_open and self._url:
            self.on_headers_complete()

    def on_message_begin(self) -> None:
        self._url, self._headers, self._is_open = b"", {}, True

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered in _WANTED:
            self._headers.setdefault(lowered, value)

    def on_headers_complete(self) -> None:
        self._is_open = False
        if len(self.heads) >= _MESSAGES:
            return
        method = clean_text(self._parser.get_method(), METHOD_LENGTH)
        authority, path = split_target(clean_text(self._url, PATH_LENGTH), method == "CONNECT")
        version, header = self._parser.get_http_version(), self._headers.get
        self.heads.append(
            RequestHead(
                method,
                authority or clean_text(header(b"host", b""), HOST_LENGTH),
                path,
                version if version in _VERSIONS else "",
                clean_text(header(b"user-agent", b""), USER_AGENT_LENGTH),
                clean_text(header(b"x-request-id", b""), IDENTIFIER_LENGTH),
                clean_text(header(b"traceparent", b""), IDENTIFIER_LENGTH),
                clean_text(header(b"content-type", b""), CONTENT_TYPE_LENGTH),
                len(self._url) > PATH_LENGTH or self._payload.endswith(self._url),
                _message_bytes(self._head_bytes, self._headers, 0),
            )
        )


class _Responses:
    """Takes the parser's callbacks."""

    __slots__ = ("_head_bytes", "_headers", "_is_open", "_parser", "_payload", "heads")

    def __init__(self, payload: bytes) -> None:
        self.heads: list[ResponseHead] = []
        self._payload = payload
        self._head_bytes = _head_bytes(payload)
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._is_open = False

    def read(self) -> None:
        try:
            self._parser.feed_data(self._payload if self._head_bytes >= 0 else _closed(self._payload))
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            if not self._is_told():
                return
        if self._is_open and self._is_told():
            self.on_headers_complete()

    def on_message_begin(self) -> None:
        self._headers, self._is_open = {}, True

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered in _LENGTHS:
            self._headers.setdefault(lowered, value)

    def on_headers_complete(self) -> None:
        self._is_open = False
        if len(self.heads) >= _MESSAGES:
            return
        length = _message_bytes(self._head_bytes, self._headers, _UNKNOWN)
        parser = self._parser
        self.heads.append(ResponseHead(parser.get_status_code(), parser.get_http_version(), self._head_bytes, length))

    def _is_told(self) -> bool:
        """All three digits of the status are there: the cut may have taken the last."""
        return self._parser.get_http_version() in _VERSIONS and self._parser.get_status_code() >= _LEAST_STATUS


def _closed(payload: bytes) -> bytes:
    """Of a cut head its whole lines, ended: the parser holds a line back until another one comes."""
    end = payload.rfind(_LINE_END)
    return payload[:end] + _HEAD_END if end >= 0 else payload


def _head_bytes(payload: bytes) -> int:
    """Of the first message: the others in a packet follow its body, which ends who knows where."""
    end = payload.find(_HEAD_END)
    return end + len(_HEAD_END) if end >= 0 else _UNKNOWN


def _message_bytes(head_bytes: int, headers: Mapping[bytes, bytes], without: int) -> int:
    """Head and body (RFC 9112, 6.3); ``without`` is what the body has when no header tells."""
    if head_bytes < 0 or b"transfer-encoding" in headers:
        return _UNKNOWN
    told = headers.get(b"content-length")
    body_bytes = without if told is None else int(told[:12]) if told.isdigit() else _UNKNOWN
    return head_bytes + body_bytes if 0 <= body_bytes < _LARGEST_BODY else _UNKNOWN
