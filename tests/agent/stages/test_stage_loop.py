"""How a run goes from stage to stage, and how it ends."""

from __future__ import annotations

import json

from stage_runs import configuration, reconfigure, terminate

from toolguild.agent.scripted import Calls, Says
from toolguild.agent.stages import (
    CallEnded,
    Configured,
    Reconfigured,
    RefusedMeta,
    Reminded,
    Status,
)

ASK_ADA = Calls(("find_city", {"person": "Ada"}))


def last_answer(body) -> str:
    return body["messages"][-1]["content"]


def test_a_task_of_three_phases_ends_with_three_configurations(play) -> None:
    run = play(
        configuration("find_city", "find_weather"),
        ASK_ADA,
        reconfigure("Find the weather in Paris.", execution_summary="Ada lives in Paris."),
        configuration(
            "find_weather",
            "send_note",
            sub_goal="Find the weather in Paris.",
            knowledge="Ada lives in Paris.",
        ),
        Calls(("find_weather", {"city": "Paris"})),
        reconfigure("Tell Ada.", execution_summary="It rains in Paris."),
        configuration("send_note", "add", sub_goal="Tell Ada.", knowledge="It rains in Paris."),
        Calls(("send_note", {"to": "Ada", "text": "It rains."})),
        terminate("Ada was told that it rains."),
    )
    assert run.result.status is Status.COMPLETE
    assert run.result.result == "Ada was told that it rains."
    assert run.result.stages == 3
    assert not run.result.stalled
    assert [call.text for call in run.of(CallEnded)] == [
        "Paris",
        '{"city":"Paris","weather":"rain"}',
        "sent to Ada",
    ]
    configurations = [
        run.of(Configured)[0].configuration,
        *(one.new for one in run.of(Reconfigured)),
    ]
    assert len({one.model_dump_json() for one in configurations}) == 3


def test_each_change_of_configuration_is_told_with_its_reason_and_its_price(play) -> None:
    run = play(
        configuration("find_city", "add"),
        ASK_ADA,
        reconfigure("Say it.", update_reason="The city is known."),
        configuration("send_note", "add", sub_goal="Say it."),
        terminate(),
    )
    (change,) = run.of(Reconfigured)
    assert (change.stage, change.rationale) == (1, "The city is known.")
    assert change.old.toolbox == ("find_city", "add")
    assert change.new.toolbox == ("send_note", "add")
    assert change.tokens.requests == 1
    assert change.tokens.input > change.tokens.output > 0


def test_work_and_change_share_one_action_space(play) -> None:
    run = play(configuration("find_city", "add"), terminate())
    assert run.offered() == [["find_city", "add", "reconfigure", "terminate"]]


def test_a_stage_reads_its_own_messages_and_of_others_what_it_has_to_know(play) -> None:
    run = play(
        configuration("find_city", "add"),
        ASK_ADA,
        reconfigure("Say it.", execution_summary="Ada's city was found."),
        configuration("send_note", "add", sub_goal="Say it.", knowledge="The city is Paris."),
        terminate(),
    )
    roles = [message["role"] for message in run.endpoint.requests[-1]["messages"]]
    opening = run.endpoint.requests[-1]["messages"][1]["content"]
    assert roles == ["system", "user"]
    assert "Ada's city was found." in opening
    assert "The city is Paris." in opening
    assert '"person"' not in opening


def test_whoever_writes_the_knowledge_reads_what_was_found(play) -> None:
    run = play(
        configuration("find_city", "add"),
        ASK_ADA,
        reconfigure("Say it."),
        configuration("send_note", "add", sub_goal="Say it."),
        terminate(),
    )
    asked = [body for body in run.endpoint.requests if "response_format" in body]
    assert "tool: Paris" not in asked[0]["messages"][1]["content"]
    assert "tool: Paris" in asked[1]["messages"][1]["content"]


def test_knowledge_may_be_all_that_was_said(play) -> None:
    run = play(
        configuration("find_city", "add"),
        ASK_ADA,
        reconfigure("Say it."),
        configuration("send_note", "add", sub_goal="Say it.", knowledge="all"),
        terminate(),
    )
    opening = json.dumps(run.endpoint.requests[-1])
    assert "assistant calls find_city" in opening
    assert "tool: Paris" in opening


def test_calls_of_one_reply_are_made_in_their_order_up_to_the_end(play) -> None:
    run = play(
        configuration("find_city", "add"),
        Calls(*ASK_ADA.calls, *terminate("Paris").calls, ("add", {"a": 1, "b": 2})),
    )
    assert [call.name for call in run.of(CallEnded)] == ["find_city"]
    assert run.result.result == "Paris"


class TestWhatIsRefused:
    def test_a_change_without_a_reason(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            reconfigure("Say it.", update_reason=" "),
            terminate(),
        )
        (refused,) = run.of(RefusedMeta)
        assert refused.about == "form"
        assert "update_reason is empty" in last_answer(run.endpoint.requests[-1])

    def test_arguments_that_are_none(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            Calls(("terminate", {"status": "finished", "final_result": 3})),
            terminate(),
        )
        (refused,) = run.of(RefusedMeta)
        assert "status" in refused.why
        assert "final_result" in refused.why

    def test_the_present_goal_and_then_it_takes_another_strategy(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            reconfigure("find the CITY"),
            reconfigure("Find the city!"),
            configuration("find_city", "find_weather"),  # the strategy of before
            configuration("find_city", "find_weather", strategy="Guess."),
            terminate(),
        )
        assert [one.about for one in run.of(RefusedMeta)] == ["goal"]
        (change,) = run.of(Reconfigured)
        assert change.new.strategy == "Guess."

    def test_going_back_and_forth_and_then_the_user_decides(self, play) -> None:
        there = configuration("find_city", "add")
        here = configuration("find_weather", "add", sub_goal="Find the weather.")
        run = play(
            there,
            reconfigure("Find the weather."),
            here,
            reconfigure("Find the city, now."),
            there,
            reconfigure("Find the city, now."),
            there,
        )
        assert [one.about for one in run.of(RefusedMeta)] == ["loop", "loop"]
        assert run.result.handed_over
        assert run.result.status is Status.PARTIAL
        assert "stage 1 again" in run.result.stalled

    def test_a_tool_that_the_stage_does_not_have(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            Calls(("find_weather", {"city": "Paris"})),
            terminate(),
        )
        (call,) = run.of(CallEnded)
        assert not call.ran
        assert "there are add, find_city, reconfigure, terminate" in call.text

    def test_arguments_that_do_not_fit(self, play) -> None:
        run = play(
            configuration("find_city", "add"), Calls(("find_city", {"person": 3})), terminate()
        )
        (call,) = run.of(CallEnded)
        assert (call.ok, call.ran) == (False, False)


class TestFailures:
    def test_the_same_call_is_not_made_again(self, play) -> None:
        unknown = Calls(("find_city", {"person": "Eve"}))
        run = play(configuration("find_city", "add"), unknown, unknown, terminate())
        assert [call.ran for call in run.of(CallEnded)] == [True, False]
        assert "reconfigure" in run.of(CallEnded)[0].text

    def test_after_two_of_them_the_stage_has_to_give_way(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            Calls(("find_city", {"person": "Eve"})),
            Calls(("find_city", {"person": "Mallory"})),
            reconfigure("Say that nobody knows."),
            configuration("send_note", "add", sub_goal="Say that nobody knows."),
            terminate(),
        )
        assert run.offered()[2] == ["reconfigure", "terminate"]
        assert run.result.stages == 2

    def test_an_agent_that_keeps_to_its_failure_is_stopped(self, play) -> None:
        eve = Calls(("find_city", {"person": "Eve"}))
        mallory = Calls(("find_city", {"person": "Mallory"}))
        run = play(configuration("find_city", "add"), eve, mallory, eve, eve)
        assert run.result.handed_over
        assert "2 calls of this stage failed" in run.result.stalled


class TestLimits:
    def test_when_the_stages_run_out_the_best_result_comes_back(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            ASK_ADA,
            reconfigure("Say it.", execution_summary="Ada lives in Paris."),
            configuration("send_note", "add", sub_goal="Say it."),
            reconfigure("Shout it."),
            Says("Perhaps Paris."),
            Says("I do not know how to end."),
            Says("Well."),
            Says("Still here."),
            Says("And here."),
            stages=2,
        )
        assert run.of(RefusedMeta)[0].about == "limit"
        assert run.offered()[-1] == ["terminate"]
        assert run.result.status is Status.PARTIAL
        assert run.result.result == "And here."
        assert run.result.stalled.startswith("at stage 2 (Say it.)")

    def test_a_last_word_is_asked_for_when_the_steps_run_out(self, play) -> None:
        run = play(
            configuration("find_city", "add"), ASK_ADA, terminate("Paris", "partial"), steps=1
        )
        assert run.of(Reminded)[0].forced
        assert (run.result.status, run.result.result) == (Status.PARTIAL, "Paris")

    def test_tokens_run_out(self, play) -> None:
        run = play(configuration("find_city", "add"), terminate("Paris", "partial"), tokens=1)
        assert run.offered() == [["terminate"]]

    def test_a_stage_that_grows_too_long_gives_way(self, play) -> None:
        run = play(
            configuration("find_city", "add"),
            *(Calls(("add", {"a": number, "b": 1})) for number in range(3)),
            reconfigure("Say it."),
            configuration("send_note", "add", sub_goal="Say it."),
            terminate(),
            stage_steps=3,
        )
        assert run.offered()[3] == ["reconfigure", "terminate"]

    def test_a_model_that_only_talks_is_told_and_then_stopped(self, play) -> None:
        run = play(configuration("find_city", "add"), *[Says("I think.")] * 5)
        assert run.result.handed_over
        assert "called no tool" in run.result.stalled
