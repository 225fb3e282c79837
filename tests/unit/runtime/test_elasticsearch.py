import pytest
from elasticsearch import Elasticsearch

from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings, SettingsError


def test_hosts_are_separated_by_commas_and_absent_options_are_left_away() -> None:
    assert client_options(ElasticsearchSettings(hosts="http://a:1, https://[::1]:2/path")) == {
        "hosts": ["http://a:1", "https://[::1]:2/path"],
        "api_key": None,
    }


def test_key_and_certificates_reach_the_client() -> None:
    options = client_options(ElasticsearchSettings(hosts="https://a:1", api_key="key", ca_certs="/ca.pem"))
    assert (options["api_key"], options["ca_certs"]) == ("key", "/ca.pem")


@pytest.mark.parametrize(
    ("host", "whole"),
    [
        ("https://es.example", "https://es.example:443"),
        ("http://es.example/", "http://es.example:80/"),
        ("https://[fd00::1]/path", "https://[fd00::1]:443/path"),
        ("https://user:word@es.example", "https://user:word@es.example:443"),
    ],
)
def test_a_host_without_a_port_has_that_of_its_scheme(host: str, whole: str) -> None:
    options = client_options(ElasticsearchSettings(hosts=host))
    assert options["hosts"] == [whole]
    Elasticsearch(**options).close()


@pytest.mark.parametrize(
    "host", ["a:9200", "a", "http://", "ftp://a:1", "ftp://user:secret@a", "http://a:port", "http://a:0"]
)
def test_a_host_that_is_no_url_is_named_without_its_password(host: str) -> None:
    with pytest.raises(SettingsError, match="CONNTRAIL_ELASTICSEARCH__HOSTS: expected http") as caught:
        client_options(ElasticsearchSettings(hosts=f"http://good:1,{host}"))
    assert "secret" not in str(caught.value)
