"""A lost connection, a reload, a relay that went away: the answer is taken up again, or said to be lost."""

from __future__ import annotations

import random
import socket

from playwright.sync_api import Page, expect

from tests.browser.network import BadNetwork
from tests.browser.support import Demo, Driver
from tests.relay.e2e.support import Program


def test_a_reload_amid_an_answer_takes_it_up_again(driver: Driver, demo: Demo) -> None:
    """The text goes on where it was, and is the whole of one and the same generation."""
    generations = len(demo.generations())
    driver.ask(Sim_Tokens="150", Sim_Rate="50")
    driver.wait_for_text(100)
    turn_id = driver.turn_id
    driver.page.reload()
    driver.wait_for_text(100)
    driver.expect_state("writing")
    driver.expect_state("done")
    assert driver.turn_id == turn_id
    assert driver.text == demo.text(turn_id)
    assert driver.metrics["Tokens"] == str(demo.ended()["tokens"])
    assert [record["state"] for record in demo.generations()[generations:]] == ["completed"]


def test_reloads_again_and_again(driver: Driver, demo: Demo) -> None:
    """Amid thinking, text and a tool's arguments: nothing is lost, nothing is shown twice."""
    driver.ask(Sim_Thinking="0.5", Sim_Tokens="80", Sim_Rate="25", Sim_Tool="1")
    for _ in range(12):
        driver.page.wait_for_timeout(250)
        driver.page.reload()
    driver.expect_state("done")
    assert driver.text == demo.text(driver.turn_id)
    thoughts = driver.answer.locator(".thoughts").text_content()
    assert thoughts == "".join(demo.deltas(driver.turn_id, "thinking"))
    expect(driver.answer.locator(".tool .status")).to_have_text("complete")


def test_a_reload_before_the_relay_has_answered(driver: Driver, demo: Demo) -> None:
    """The question is sent again under the same id, and is still one turn."""
    generations = len(demo.generations())
    driver.ask(Sim_Fault="status=429,retry-after=1,times=1", Sim_Tokens="20")
    driver.expect_state("connecting")
    turn_id = driver.turn_id
    driver.page.wait_for_timeout(200)
    driver.page.reload()
    driver.expect_state("done")
    assert driver.turn_id == turn_id
    assert driver.text == demo.text(turn_id) != ""
    states = [record["state"] for record in demo.generations()[generations:]]
    assert states == ["faulted", "completed"]


def test_a_reload_keeps_what_was_finished_and_what_was_being_typed(driver: Driver) -> None:
    driver.ask("Kept?", Sim_Tokens="20", Sim_Fault="")
    driver.expect_state("done")
    driver.ask("Cut?", Sim_Tokens="20", Sim_Fault="cut-after=15")
    driver.expect_state("cut-off")
    driver.question.fill("A draft\nof two lines")
    before = driver.page.locator(".exchange").all_inner_texts()
    driver.page.reload()
    driver.expect_state("cut-off")
    assert driver.page.locator(".exchange").all_inner_texts() == before
    expect(driver.question).to_have_value("A draft\nof two lines")


def test_a_lost_connection_is_resumed(remote: Driver, network: BadNetwork, demo: Demo) -> None:
    """One cut amid the text: reconnecting, then writing again, and no token twice or lost."""
    generations = len(demo.generations())
    remote.ask(Sim_Tokens="120", Sim_Rate="50")
    remote.wait_for_text(100)
    network.down = True
    network.cut()
    remote.expect_state("reconnecting")
    expect(remote.page.get_by_role("status")).to_contain_text("Reconnecting, attempt")
    length = len(remote.text)
    network.down = False
    remote.wait_for_text(length + 1)
    remote.expect_state("done")
    assert remote.text == demo.text(remote.turn_id)
    assert remote.metrics["Tokens"] == str(demo.ended()["tokens"])
    assert [record["state"] for record in demo.generations()[generations:]] == ["completed"]


def test_a_connection_that_breaks_at_any_byte(remote: Driver, network: BadNetwork, demo: Demo) -> None:
    """Thirty cuts, amid events, lines and characters."""
    dice = random.Random(9)
    sizes = [dice.randrange(1000, 4000) for _ in range(30)]
    remote.set({"Sim-Tokens": "250", "Sim-Rate": "150", "Sim-Tool": "1", "Sim-Thinking": "0.2"})
    network.begin_cutting(sizes)
    remote.question.fill("東京 👩‍🚀 Ἀθῆναι?")
    remote.page.get_by_role("button", name="Send").click()
    remote.expect_state("done")
    assert network.cuts >= 15
    assert remote.text == demo.text(remote.turn_id) != ""
    thoughts = remote.answer.locator(".thoughts").text_content()
    assert thoughts == "".join(demo.deltas(remote.turn_id, "thinking"))
    expect(remote.answer.locator(".tool .status")).to_have_text("complete")


def test_a_question_asked_without_a_network_is_asked_once_it_is_back(
    remote: Driver, network: BadNetwork, demo: Demo
) -> None:
    generations = len(demo.generations())
    remote.set({"Sim-Tokens": "20"})
    network.down = True
    network.cut()
    remote.question.fill("Anybody there?")
    remote.page.keyboard.press("Enter")
    remote.expect_state("reconnecting")
    network.down = False
    remote.expect_state("done")
    assert remote.text == demo.text(remote.turn_id) != ""
    assert len(demo.generations()) == generations + 1


def test_a_browser_that_is_offline_says_so_and_comes_back_at_once(
    remote: Driver, network: BadNetwork, demo: Demo
) -> None:
    remote.ask(Sim_Tokens="80", Sim_Rate="40")
    remote.wait_for_text(40)
    remote.page.context.set_offline(True)
    network.cut()
    expect(remote.page.get_by_role("status")).to_contain_text("Offline, attempt")
    remote.page.context.set_offline(False)
    remote.expect_state("done")
    assert remote.text == demo.text(remote.turn_id)


def test_a_turn_that_was_given_up_for_lack_of_a_connection_can_be_resumed(
    page: Page, network: BadNetwork, demo: Demo
) -> None:
    """After a minute without a connection the page asks the reader, and then goes on where it was."""
    page.clock.install()
    remote = Driver(page, network.address)
    remote.ask(Sim_Thinking="0.2", Sim_Tokens="150", Sim_Rate="50", Sim_Tool="1")
    remote.wait_for_text(40)
    network.down = True
    network.cut()
    remote.expect_state("reconnecting")
    while page.locator("html").get_attribute("data-state") == "reconnecting":
        page.clock.fast_forward(5000)
    remote.expect_state("cut-off")
    expect(remote.note).to_contain_text("could not be restored")
    network.down = False
    remote.answer.get_by_role("button", name="Resume").click()
    remote.expect_state("done")
    expect(remote.note).to_have_count(0)
    assert remote.text == demo.text(remote.turn_id)
    expect(remote.answer.locator(".tool .status")).to_have_text("complete")


def test_stop_without_a_connection_is_carried_out_when_it_is_back(
    remote: Driver, network: BadNetwork, demo: Demo
) -> None:
    remote.ask(Sim_Tokens="5000", Sim_Rate="30")
    remote.wait_for_text(40)
    network.down = True
    network.cut()
    remote.expect_state("reconnecting")
    remote.page.get_by_role("button", name="Stop").click()
    remote.expect_state("stopping")
    assert demo.newest()["state"] == "running"
    network.down = False
    remote.expect_state("stopped")
    assert demo.ended()["state"] == "aborted"


def test_a_relay_that_was_started_anew_does_not_know_the_turn(page: Page) -> None:
    """The text that has come stays, and is said to be cut off."""
    port = str(free_port())
    with Program("demo", "--port", port) as first:
        driver = Driver(page, Demo(first).relay)
        driver.ask(Sim_Tokens="5000", Sim_Rate="30")
        driver.wait_for_text(40)
        first.process.kill()  # a relay that is stopped properly says so to its readers
    driver.expect_state("reconnecting")
    text = driver.text
    with Program("demo", "--port", port) as second:
        Demo(second)
        driver.expect_state("cut-off")
    assert driver.text == text
    expect(driver.note).to_contain_text("No such turn")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
