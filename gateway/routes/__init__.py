"""Every REST route of the exchange, as data. The order matters: fixed paths before patterns."""

from gateway.endpoint import Route
from gateway.routes import (
    account,
    api_keys,
    auth,
    batches,
    fees,
    funds,
    market_data,
    orders,
    parents,
    preflight,
    sub_accounts,
    switches,
    system,
)

ROUTES: tuple[Route, ...] = (
    *orders.FIRST,
    *batches.ROUTES,
    *orders.ROUTES,
    *parents.ROUTES,
    *market_data.ROUTES,
    *funds.ROUTES,
    *switches.ROUTES,
    *fees.ROUTES,
    *preflight.ROUTES,
    *sub_accounts.ROUTES,
    *auth.ROUTES,
    *api_keys.ROUTES,
    *account.ROUTES,
    *system.ROUTES,
)
