"""The scenarios of test_chat_*.py against a bot that does what they ask for: they themselves are sound."""
import test_chat_js
import test_chat_nio
from contract_bot import ContractChat


def against_the_contract(module, names):
    def test(name):
        def run(t):
            t.chat_world = ContractChat
            getattr(module, "test_" + name)(t)
        run.__name__ = "test_" + name
        return run
    kind = module.__name__[10:]
    for name in names:
        globals()[f"test_{kind}_{name}"] = test(name)


against_the_contract(test_chat_nio, (
    "onboarding", "a_streamed_answer_is_one_message_that_grows", "a_confirmation_by_yes", "a_confirmation_by_reaction",
    "stop_keeps_what_was_said", "a_file_goes_to_the_agent", "a_file_comes_from_the_agent",
    "an_answer_comes_where_it_was_asked", "a_waiting_message_is_taken_as_edited", "an_edit_never_becomes_a_command",
    "an_edit_of_an_answered_message_is_explained_once", "a_redacted_waiting_message_is_dropped",
    "a_redacted_running_message_is_cancelled", "a_reply_brings_what_it_quotes", "notices_are_never_answered"))
against_the_contract(test_chat_js, (
    "onboarding", "only_the_final_edit_of_a_streamed_answer_notifies", "a_confirmation_by_yes",
    "a_confirmation_by_reaction", "stop", "files_both_ways", "clear", "a_thread", "an_edit_of_a_waiting_message",
    "a_redaction_of_a_waiting_message"))
