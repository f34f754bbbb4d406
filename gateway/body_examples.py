"""A body to begin with for each request, as the reader at `/docs` fills it in.

The prices and sizes suit the pairs that Tandem lists by default.
"""

from typing import Any, Final

BODY_EXAMPLES: Final[dict[str, Any]] = {
    "PlaceOrderRequest": {"side": "buy", "quantity": "1000", "price": "0.003", "mode": "paper"},
    "BatchPlaceRequest": {
        "orders": [
            {"side": "buy", "quantity": "1000", "price": "0.002", "order_type": "post_only"},
            {"side": "sell", "quantity": "1000", "price": "0.004", "order_type": "post_only"},
        ]
    },
    "BatchCancelRequest": {"order_ids": ["ord_vaix_p_17", "ord_vaix_p_18"], "mode": "paper"},
    "AmendOrderRequest": {"price": "0.0031"},
    "BatchAmendRequest": {"orders": [{"order_id": "ord_vaix_p_17", "price": "0.0031"}]},
    "PlaceTwapRequest": {
        "side": "buy",
        "quantity": "50000",
        "duration_minutes": 120,
        "num_slices": 20,
        "mode": "paper",
    },
    "PlaceScaleRequest": {
        "side": "buy",
        "quantity": "10000",
        "price_low": "0.002",
        "price_high": "0.004",
        "num_orders": 10,
        "mode": "paper",
    },
    "WithdrawRequest": {
        "amount": "100",
        "destination": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "chain": "base",
    },
    "TransferRequest": {
        "to_sub_account_id": "sub_1",
        "amount": "500",
        "currency": "USDC",
        "mode": "paper",
    },
    "SubAccountRequest": {"label": "strategy two"},
    "RegisterRequest": {
        "email": "ada@example.com",
        "username": "ada",
        "password": "correct horse battery",
        "tos_accepted": True,
        "privacy_policy_accepted": True,
    },
    "LoginRequest": {"email": "ada@example.com", "password": "correct horse battery"},
    "ApiKeyLoginRequest": {
        "email": "ada@example.com",
        "password": "correct horse battery",
        "key_name": "my bot",
    },
    "ApiKeyRequest": {
        "name": "my bot",
        "permissions": {"read": True, "trade": True, "withdraw": False},
        "allowed_markets": ["vaix"],
        "expires_in_days": 90,
    },
    "ApiKeyChange": {"is_active": False},
    "AccountChange": {"simulation_mode": True},
    "DeadMansSwitchRequest": {"timeout_ms": 60_000},
}
"""By the name of the request's model; one without an entry is shown by its schema alone."""
