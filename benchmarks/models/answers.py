"""A good answer for each of the wanted tools, in their order."""

from __future__ import annotations

__all__ = ["ANSWERS"]

ANSWERS = '''
def list_invoices_in_turn(customer: str) -> dict[str, list[dict[str, object]]]:
    """Return every page of the invoices of a customer.

    Args:
        customer: The customer's id.

    Returns:
        The pages, in their order.

    Raises:
        ValueError: a page does not say whether there is another, or there are too many.
    """
    found = []
    for page in range(1, 21):
        shown = call_tool("list_invoices", {"customer": customer, "page": page})
        if not isinstance(shown, dict) or not isinstance(shown.get("more"), bool):
            raise ValueError("a page does not say whether there is another")
        found.append(shown)
        if not shown["more"]:
            return {"list_invoices": found}
    raise ValueError("more than twenty pages")
#---
def get_employee_in_turn(employee_id: str) -> dict[str, list[dict[str, object]]]:
    """Return an employee and all managers above.

    Args:
        employee_id: The employee's id.

    Returns:
        What is known of each, the employee first.

    Raises:
        ValueError: the line of managers has no end, or an entry has no manager field.
    """
    found = []
    wanted = employee_id
    for _ in range(20):
        shown = call_tool("get_employee", {"employee_id": wanted})
        if not isinstance(shown, dict) or "manager" not in shown:
            raise ValueError("an entry does not name a manager")
        found.append(shown)
        if shown["manager"] is None:
            return {"get_employee": found}
        wanted = shown["manager"]
    raise ValueError("the line of managers has no end")
#---
from datetime import datetime


def get_order_then_list_deliveries(order_id: str) -> dict[str, object]:
    """Return an order, and what was delivered on the day on which it was placed.

    Args:
        order_id: The order's id.

    Returns:
        The order and the deliveries.

    Raises:
        ValueError: the order has no day in words.
    """
    order = call_tool("get_order", {"order_id": order_id})
    if not isinstance(order, dict) or not isinstance(order.get("placed"), str):
        raise ValueError("the order does not say when it was placed")
    try:
        day = datetime.strptime(order["placed"], "%B %d, %Y").date().isoformat()
    except ValueError:
        raise ValueError("the order was placed on a day that cannot be read") from None
    return {
        "get_order": order,
        "list_deliveries": call_tool("list_deliveries", {"day": day}),
    }
#---
def search_flights_then_get_seats(origin: str, to: str) -> dict[str, object]:
    """Return the flights between two cities, and the free seats of the cheapest with tax.

    Args:
        origin: Where from.
        to: Where to.

    Returns:
        The flights, and the seats.

    Raises:
        ValueError: there is no flight, or one without price or name.
    """
    flights = call_tool("search_flights", {"origin": origin, "to": to})
    if not isinstance(flights, list) or not flights:
        raise ValueError("there is no flight")
    for one in flights:
        if not isinstance(one, dict) or "price" not in one or "tax" not in one:
            raise ValueError("a flight has no price or no tax")
    best = min(flights, key=lambda one: one["price"] + one["tax"])
    if "flight" not in best:
        raise ValueError("a flight has no name")
    return {
        "search_flights": flights,
        "get_seats": call_tool("get_seats", {"flight": best["flight"]}),
    }
#---
def get_customer_then_get_mailbox(customer_id: str) -> dict[str, object]:
    """Return a customer with the mailbox, whose login is made of the name.

    Args:
        customer_id: The customer's id.

    Returns:
        The customer and the mailbox.

    Raises:
        ValueError: the customer has no name.
    """
    customer = call_tool("get_customer", {"customer_id": customer_id})
    if not isinstance(customer, dict):
        raise ValueError("there is no customer")
    first, last = customer.get("first"), customer.get("last")
    if not isinstance(first, str) or not isinstance(last, str):
        raise ValueError("the customer has no name")
    login = f"{first[:1]}.{last[:4]}".lower()
    return {
        "get_customer": customer,
        "get_mailbox": call_tool("get_mailbox", {"login": login}),
    }
#---
def get_cart_then_get_shipping(cart_id: str) -> dict[str, object]:
    """Return a cart and what shipping it costs, by the value of all that is in it.

    Args:
        cart_id: The cart's id.

    Returns:
        The cart and the fee.

    Raises:
        ValueError: the cart has no items, or one has no price or count.
    """
    cart = call_tool("get_cart", {"cart_id": cart_id})
    if not isinstance(cart, dict) or not isinstance(cart.get("items"), list):
        raise ValueError("the cart has no items")
    total = 0
    for item in cart["items"]:
        if not isinstance(item, dict) or "price" not in item or "count" not in item:
            raise ValueError("an item has no price or no count")
        total += item["price"] * item["count"]
    return {"get_cart": cart, "get_shipping": call_tool("get_shipping", {"amount": total})}
#---
def list_articles_then_get_article(issue: str) -> dict[str, object]:
    """Return the titles of an issue, and its articles.

    Args:
        issue: The issue's id.

    Returns:
        The titles, and the articles in the same order.

    Raises:
        ValueError: the issue has no titles, or one is no text.
    """
    shown = call_tool("list_articles", {"issue": issue})
    if not isinstance(shown, dict) or not isinstance(shown.get("titles"), list):
        raise ValueError("the issue has no titles")
    articles = []
    for title in shown["titles"][:40]:
        if not isinstance(title, str):
            raise ValueError("a title is no text")
        slug = title.lower().replace(" ", "-").strip("!")
        articles.append(call_tool("get_article", {"slug": slug}))
    return {"list_articles": shown, "get_article": articles}
#---
def list_parts_then_list_stock_then_find_supplier(kit: str) -> dict[str, object]:
    """Return the parts of a kit, those in stock, and suppliers of those that are not.

    Args:
        kit: The kit's id.

    Returns:
        The parts, the stock, and a supplier for each missing part.

    Raises:
        ValueError: parts or stock are no lists.
    """
    parts = call_tool("list_parts", {"kit": kit})
    stock = call_tool("list_stock", {"kit": kit})
    if not isinstance(parts, list) or not isinstance(stock, list):
        raise ValueError("parts and stock have to be lists")
    absent = [part for part in parts if part not in stock]
    suppliers = [call_tool("find_supplier", {"part": part}) for part in absent[:40]]
    return {"list_parts": parts, "list_stock": stock, "find_supplier": suppliers}
#---
import re


def read_mail_then_get_ticket(mail_id: str) -> dict[str, object]:
    """Return a mail and the ticket that it is about.

    Args:
        mail_id: The mail's id.

    Returns:
        The mail and the ticket.

    Raises:
        ValueError: the mail names no ticket.
    """
    mail = call_tool("read_mail", {"mail_id": mail_id})
    if not isinstance(mail, str):
        raise ValueError("the mail is no text")
    found = re.search(r"Ticket number is ([0-9]{1,9})", mail)
    if found is None:
        raise ValueError("the mail names no ticket")
    ticket = f"TCK-{int(found.group(1)):06d}"
    return {"read_mail": mail, "get_ticket": call_tool("get_ticket", {"ticket": ticket})}
#---
def list_scores_then_get_player(league: str) -> dict[str, object]:
    """Return the scores of a league, and its two best players.

    Args:
        league: The league's id.

    Returns:
        The scores and the players, the best first.

    Raises:
        ValueError: the scores are not numbers by player.
    """
    scores = call_tool("list_scores", {"league": league})
    if not isinstance(scores, dict):
        raise ValueError("there are no scores")
    for value in scores.values():
        if not isinstance(value, int):
            raise ValueError("a score is no number")
    best = sorted(scores, key=lambda name: -scores[name])[:2]
    return {
        "list_scores": scores,
        "get_player": [call_tool("get_player", {"name": name}) for name in best],
    }
#---
def get_org_then_get_team_then_get_member_then_check_keys(org: str) -> dict[str, object]:
    """Return an organisation with its teams and members, and whether its outermost keys agree.

    Args:
        org: The organisation's id.

    Returns:
        The organisation, its teams, their members, and the comparison.

    Raises:
        ValueError: there is no team, or no member.
    """
    shown = call_tool("get_org", {"org": org})
    if not isinstance(shown, dict) or not isinstance(shown.get("teams"), list):
        raise ValueError("the organisation has no teams")
    teams = [call_tool("get_team", {"team": team}) for team in shown["teams"][:20]]
    members = []
    for team in teams:
        if not isinstance(team, dict) or not isinstance(team.get("members"), list):
            raise ValueError("a team has no members")
        for member in team["members"][:20]:
            members.append(call_tool("get_member", {"member": member}))
    if not members:
        raise ValueError("there are no members")
    for member in members:
        if not isinstance(member, dict) or not isinstance(member.get("keys"), list):
            raise ValueError("a member has no keys")
        if len(member["keys"]) < 2:
            raise ValueError("a member has too few keys")
    pair = f"{members[0]['keys'][0]}:{members[-1]['keys'][1]}"
    return {
        "get_org": shown,
        "get_team": teams,
        "get_member": members,
        "check_keys": call_tool("check_keys", {"pair": pair}),
    }
#---
from datetime import datetime


def get_rates_with_recovery(on: str) -> object:
    """Return the rates of a day.

    Args:
        on: The day in ISO form, or as month/day/year.

    Returns:
        The rates.

    Raises:
        ValueError: it is no such day.
    """
    try:
        return call_tool("get_rates", {"on": on})
    except ToolCallError:
        try:
            day = datetime.strptime(on, "%m/%d/%Y").date().isoformat()
        except ValueError:
            raise ValueError("on is no day as month/day/year") from None
    return call_tool("get_rates", {"on": day})
#---
def get_quote_with_recovery(symbol: str) -> object:
    """Return the quote of a symbol, however it is written.

    Args:
        symbol: The symbol, perhaps with its exchange after a dot.

    Returns:
        The quote.
    """
    return call_tool("get_quote", {"symbol": symbol.strip().split(".")[0].upper()})
#---
def get_account_with_recovery(account: str) -> object:
    """Return an account by its id, or by its mail address.

    Args:
        account: The id, or the address.

    Returns:
        The account.

    Raises:
        ValueError: nobody has this address.
    """
    try:
        return call_tool("get_account", {"account": account})
    except ToolCallError:
        found = call_tool("find_account", {"user": account.split("@")[0].upper()})
    if not isinstance(found, dict) or not isinstance(found.get("hits"), list):
        raise ValueError("nobody has this address")
    for hit in found["hits"]:
        if not isinstance(hit, dict) or "id" not in hit:
            raise ValueError("an account has no id")
        return call_tool("get_account", {"account": hit["id"]})
    raise ValueError("nobody has this address")
#---
def get_parcel_with_recovery(parcel: str) -> object:
    """Return a parcel by its number, with or without leading zeros.

    Args:
        parcel: The number.

    Returns:
        The parcel.
    """
    return call_tool("get_parcel", {"parcel": "#" + parcel.lstrip("#").rjust(8, "0")})
#---
def get_latest_order(user: str) -> object:
    """Return the order that a user placed last.

    Args:
        user: The user's id.

    Returns:
        The order.

    Raises:
        ValueError: there is none, or one without a day or an id.
    """
    orders = call_tool("list_orders", {"user": user})
    if not isinstance(orders, list) or not orders:
        raise ValueError("there is no order")
    for one in orders:
        if not isinstance(one, dict) or not isinstance(one.get("on"), str) or "id" not in one:
            raise ValueError("an order has no day or no id")
    newest = max(orders, key=lambda one: one["on"])
    return call_tool("show_order", {"order": newest["id"]})
#---
def find_by_phone(phone: str) -> object:
    """Return the contacts with a phone number, however it is written.

    Args:
        phone: The number.

    Returns:
        The contacts.
    """
    digits = "".join(sign for sign in phone if sign in "0123456789")
    return call_tool("search_contacts", {"query": digits})
#---
from datetime import date, timedelta


def add_business_days(start: str, days: int) -> str:
    """Return the day that is so many working days after another.

    Args:
        start: The day to count from, in ISO form.
        days: How many days that are no Saturday or Sunday, from 0 to 500.

    Returns:
        The day in ISO form.

    Raises:
        ValueError: start is no day, or days is out of bounds.
    """
    try:
        day = date.fromisoformat(start)
    except ValueError:
        raise ValueError("start is no day in ISO form") from None
    if not 0 <= days <= 500 or day.year > 9990:
        raise ValueError("days has to be from 0 to 500")
    left = days
    for _ in range(1000):
        if left == 0:
            break
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day.isoformat()
#---
def make_initials(names: list[str]) -> list[str]:
    """Return the initials of each name.

    Args:
        names: The names, with spaces between their parts.

    Returns:
        The first letters of the parts, for each name.
    """
    return ["".join(part[0] for part in name.split()) for name in names]
#---
def split_bill(cents: int, people: int) -> list[int]:
    """Return shares of a bill that differ by one cent at most, the larger ones first.

    Args:
        cents: What is to be paid.
        people: How many share it, from 1 to 1000.

    Returns:
        The shares, in cents.

    Raises:
        ValueError: there are not so many people.
    """
    if not 1 <= people <= 1000:
        raise ValueError("people has to be from 1 to 1000")
    return [cents // people + (at < cents % people) for at in range(people)]
'''
