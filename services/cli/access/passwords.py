"""Passwords that the environment gives for the accounts of our services, at Kafka and at PostgreSQL."""

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_PASSWORD = 16

KEPT_PASSWORDS = "KEPT_PASSWORDS"
"""The variable in which an instance that keeps its passwords itself says where: of `kafka`, of `database`."""


def kept_passwords(*, kafka: bool, database: bool) -> dict[str, str]:
    """The variable as an instance hands it to commands; none where it keeps none."""
    kept = [name for name, is_kept in (("kafka", kafka), ("database", database)) if is_kept]
    return {KEPT_PASSWORDS: ",".join(kept)} if kept else {}


class GivenPasswords(BaseSettings):
    """One field for each account, None where its password is not given; an empty one is not given either."""

    @field_validator("*")
    @classmethod
    def _can_be(cls, value: SecretStr | None) -> SecretStr | None:
        word = value.get_secret_value() if value else ""
        if word and (len(word) < SHORTEST_PASSWORD or not word.isascii() or not word.isprintable()):
            raise ValueError(f"a password has at least {SHORTEST_PASSWORD} ASCII characters")
        return value if word else None

    def given(self) -> dict[str, str]:
        """Those that are given, by the field's name."""
        fields: dict[str, SecretStr | None] = dict(self)
        return {name: value.get_secret_value() for name, value in fields.items() if value}


class ServicePasswords(GivenPasswords):
    """The passwords with which our services log in to Kafka; one that is not given stays as it is."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_PASSWORD_")

    registry: SecretStr | None = None
    scheduler: SecretStr | None = None
    notifier: SecretStr | None = None
    portal: SecretStr | None = None


class DatabasePasswords(GivenPasswords):
    """The passwords with which our services, and who migrates, log in to PostgreSQL; one that is not given stays."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_PASSWORD_")

    registry: SecretStr | None = None
    scheduler: SecretStr | None = None
    notifier: SecretStr | None = None
    migrator: SecretStr | None = None

    def by_role(self) -> dict[str, str]:
        """Those that are given, by the name of the role in PostgreSQL."""
        return {f"pledgewire_{name}": word for name, word in self.given().items()}
