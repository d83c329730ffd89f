"""Keys that Gamma always sends and that mean nothing here, with the values they have at rest.

A client that was written against the venue must find them.

Source: recorded answers of 2026-05 and 2026-06.
"""

from typing import Final

MARKET: Final[dict[str, object]] = {
    "active": True,
    "enableOrderBook": True,
    "image": "",
    "icon": "",
    "marketMakerAddress": "",
    "submitted_by": "",
    "resolvedBy": "",
    "new": False,
    "featured": False,
    "archived": False,
    "restricted": True,
    "groupItemThreshold": "0",
    "hasReviewedDates": True,
    "comboStatus": "disabled",
    "ready": False,
    "funded": False,
    "cyom": False,
    "competitive": 0,
    "customLiveness": 0,
    "secondsDelay": 0,
    "pagerDutyNotificationEnabled": False,
    "approved": True,
    "rewardsMinSize": 50,
    "rewardsMaxSpread": 4.5,
    "automaticallyActive": True,
    "clearBookOnStart": False,
    "showGmpSeries": False,
    "showGmpOutcome": False,
    "manualActivation": False,
    "negRiskOther": False,
    "pendingDeployment": False,
    "deploying": False,
    "rfqEnabled": False,
    "holdingRewardsEnabled": False,
    "requiresTranslation": False,
    "makerRebatesFeeShareBps": 10_000,
}

EVENT: Final[dict[str, object]] = {
    "image": "",
    "icon": "",
    "active": True,
    "archived": False,
    "new": False,
    "featured": False,
    "restricted": True,
    "enableOrderBook": True,
    "commentCount": 0,
    "competitive": 0,
    "cyom": False,
    "showAllOutcomes": True,
    "showMarketImages": True,
    "automaticallyActive": True,
    "negRiskAugmented": False,
    "estimateValue": False,
    "cumulativeMarkets": False,
    "gmpChartMode": "default",
    "pendingDeployment": False,
    "deploying": False,
    "requiresTranslation": False,
}

_EPOCH: Final = "2025-01-01T00:00:00Z"

TAG: Final[dict[str, object]] = {
    "forceShow": False,
    "isCarousel": False,
    "createdAt": _EPOCH,
    "updatedAt": _EPOCH,
    "requiresTranslation": False,
}

SERIES: Final[dict[str, object]] = {
    "seriesType": "single",
    "recurrence": "daily",
    "image": "",
    "icon": "",
    "active": True,
    "closed": False,
    "archived": False,
    "new": False,
    "featured": False,
    "restricted": True,
    "layout": "default",
    "startDate": _EPOCH,
    "createdAt": _EPOCH,
    "updatedAt": _EPOCH,
    "publishedAt": _EPOCH,
    "createdBy": "15",
    "updatedBy": "15",
    "commentsEnabled": False,
    "commentCount": 0,
    "competitive": "0",
    "volume24hr": 0,
    "volume": 0,
    "liquidity": 0,
    "requiresTranslation": False,
}
