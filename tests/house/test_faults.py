"""The list of known faults of models, inputs and statistics: each by its name, with the tests that stand for it.

Most of these tests say in their own names what they promise; here is the way from the fault to them. A test that is
renamed or lost is missed here.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

ENDPOINT, KILL = "sweep/test_endpoint_sweep", "sweep/test_kill"
CHAT, NETWORK, RETRY = (f"unit/providers/http/test_{name}" for name in ("openai_chat", "openai_network", "retry"))
ANSWER, ADDRESS, LIMITER = (f"unit/providers/http/test_{name}" for name in ("response_parser", "endpoint", "limiter"))
EXECUTE, BUDGET, JOURNAL, WAITING = (
    f"unit/runs/test_{name}" for name in ("execute", "budget", "journal", "waiting_calls")
)
CHECK, EVENTS, SECRETS = (f"integration/test_{name}" for name in ("check", "github_events", "secrets"))
RACES, OUTPUT = "integration/test_action_races", "integration/test_unwritable_output"
QUARANTINE, COMPARABLE = "integration/test_quarantined_cases", "integration/test_comparability"
PROMPTS, HOSTILE, RENDER = (f"unit/prompts/test_{name}" for name in ("prompts", "prompts_hostile", "render_hostile"))
GOLDENS, TABLES = "unit/goldens/test_goldens", "unit/goldens/test_goldens_hostile"
FILES, YAML = "unit/files/test_files", "unit/files/test_yaml_hostile"
GIT, GIT_HOSTILE = "unit/git/test_git", "unit/git/test_git_hostile"
GATE, STATS, PROMISES = "unit/gates/test_gate_faults", "unit/stats/test_power", "promises/test_gate"
CONFIG = "unit/config/test_load"
SWEPT = (f"{ENDPOINT}::test_one_call_fails", f"{ENDPOINT}::test_every_call_fails_from_the_nth_on")

FAULTS: dict[str, tuple[str, ...]] = {
    # Repository and inputs
    "in_path_with_newline_quote_unicode_nfd": (
        f"{EVENTS}::test_in_path_with_newline_quote_unicode_nfd",
        f"{GIT_HOSTILE}::test_names_that_are_no_utf8_or_decomposed_survive",
    ),
    "in_prompt_renamed_and_edited": (f"{CHECK}::test_a_rename_with_edits_is_compared_with_its_old_self",),
    "in_prompt_copied": (f"{CHECK}::test_a_copied_prompt_is_a_new_one",),
    "in_prompt_deleted": (f"{CHECK}::test_a_deleted_prompt_is_reported",),
    "in_prompt_added": (f"{CHECK}::test_a_new_prompt_meets_the_absolute_limits_only",),
    "in_prompt_mode_only": (f"{GIT_HOSTILE}::test_a_change_of_mode_alone_is_none_in_the_working_tree_either",),
    "in_prompt_case_only_rename": (f"{GIT}::test_a_rename_of_case_only_is_a_rename",),
    "in_prompt_symlink_to_etc_passwd": (f"{GIT}::test_a_symbolic_link_is_refused_wherever_it_leads",),
    "in_prompt_symlink_dev_urandom": (
        f"{GIT}::test_a_symbolic_link_is_refused_wherever_it_leads",
        f"{GIT}::test_a_device_or_pipe_in_the_working_tree_is_refused",
    ),
    "in_prompt_submodule_gitlink": (f"{GIT}::test_a_submodule_is_refused",),
    "in_prompt_lfs_pointer": (f"{FILES}::test_what_is_no_text_is_refused",),
    "in_prompt_nul_bytes": (f"{FILES}::test_what_is_no_text_is_refused",),
    "in_prompt_utf16_bom": (f"{FILES}::test_what_is_no_text_is_refused",),
    "in_prompt_latin1": (f"{FILES}::test_what_is_no_text_is_refused",),
    "in_prompt_utf8_bom": (f"{FILES}::test_a_byte_order_mark_and_line_endings_do_not_count",),
    "in_prompt_crlf_vs_lf_only_change": (f"{CHECK}::test_an_edit_that_cannot_change_an_answer_asks_nothing",),
    "in_template_undefined_var": (
        f"{PROMPTS}::test_a_missing_variable_is_named",
        f"{CHECK}::test_a_missing_variable_and_a_bad_assertion_are_found_before_anything_is_asked",
        f"{CHECK}::test_a_missing_variable_is_an_error_of_its_prompt_and_the_others_still_run",
    ),
    "in_template_recursive_include": (f"{HOSTILE}::test_a_bomb_of_includes_ends_at_once",),
    "in_template_include_outside_repo": (f"{HOSTILE}::test_an_include_never_leaves_the_repository",),
    "in_template_ssti_corpus": (f"{RENDER}::test_nothing_but_a_variable_is_ever_filled_in",),
    # There is no template logic that could loop, grow or recurse: time is bound by the text's length.
    "in_template_cpu_bomb": (f"{RENDER}::test_a_template_costs_time_in_proportion_to_its_length",),
    "in_template_mem_bomb": (f"{RENDER}::test_whatever_the_template_rendering_ends_and_fills_only_what_it_names",),
    "in_template_deep_parens": (f"{RENDER}::test_a_template_costs_time_in_proportion_to_its_length",),
    "in_yaml_alias_bomb": (f"{FILES}::test_bombs_are_refused_at_once",),
    "in_yaml_merge_bomb": (f"{YAML}::test_what_makes_yaml_surprising_is_refused_in_words",),
    "in_yaml_self_ref": (f"{YAML}::test_bombs_are_refused_soon",),
    "in_yaml_depth_20000": (f"{YAML}::test_bombs_are_refused_soon",),
    "in_yaml_dup_key": (f"{FILES}::test_what_makes_yaml_surprising_is_refused_with_its_line",),
    "in_yaml_python_tag": (f"{FILES}::test_what_makes_yaml_surprising_is_refused_with_its_line",),
    "in_jsonl_blank_lines_bom_trailing_comma_nan_infinity_dup_keys_lone_surrogate_huge_int": (
        f"{FILES}::test_json_that_tools_read_differently_is_refused",
        f"{FILES}::test_json_lines_name_every_bad_line",
        f"{YAML}::test_half_a_surrogate_pair_is_refused_by_both_parsers",
    ),
    "in_csv_embedded_newline_semicolon_dialect_missing_header": (
        f"{GOLDENS}::test_csv_with_line_breaks_a_bom_and_other_separators",
        f"{TABLES}::test_every_mistake_of_a_header_is_told",
    ),
    "in_golden_empty": (f"{CHECK}::test_a_golden_set_emptied_by_the_change_is_an_error",),
    "in_golden_one_case": (f"{STATS}::test_too_few_cases_show_nothing",),
    "in_golden_duplicate_ids": (f"{GOLDENS}::test_an_id_used_twice_names_both_places",),
    "in_golden_missing_id": (f"{GOLDENS}::test_every_mistake_is_named_with_its_line",),
    "in_golden_id_with_html": ("unit/present/test_escape::test_escaped_text_becomes_text_and_nothing_else",),
    "in_golden_100k_cases": (
        f"{GOLDENS}::test_a_hundred_thousand_cases_are_read",
        f"{TABLES}::test_a_hundred_thousand_cases_take_seconds",
    ),
    "in_golden_all_cases_removed_by_pr": (f"{CHECK}::test_a_golden_set_emptied_by_the_change_is_an_error",),
    "in_config_threshold_relaxed_in_pr": (
        f"{CHECK}::test_an_edited_configuration_runs_the_prompts_and_the_base_s_gate_decides",
    ),
    "in_config_unknown_key_typo": (
        f"{CONFIG}::test_a_misspelt_key_is_named_with_its_line_and_the_key_that_was_meant",
        f"{CONFIG}::test_an_unknown_key_of_a_price_is_named_beside_those_that_are_known",
    ),
    # No key executes anything, so there is none to take from head; what a change could still do with one is this.
    "in_config_code_execution_keys_from_head": (f"{CHECK}::test_a_change_cannot_send_the_key_elsewhere",),
    "in_base_prompt_missing_on_base_branch": (f"{CHECK}::test_a_new_prompt_meets_the_absolute_limits_only",),
    "in_pii_secret_in_golden": (
        f"{GOLDENS}::test_in_pii_secret_in_golden",
        f"{SECRETS}::test_out_secret_canary_all_sinks_6_encodings",
    ),
    # Models and the way to them
    **{
        f"llm_429_retry_after_{form}": (
            f"{CHAT}::test_the_pause_of_the_header_is_waited_for",
            f"{RETRY}::test_the_pause_is_read_in_each_form",
            *SWEPT,
        )
        for form in ("seconds", "http_date", "ms_header", "negative", "past_date", "nan", "3600", "absent")
    },
    "llm_429_storm_100_concurrent": (
        f"{NETWORK}::test_a_hundred_callers_find_what_the_endpoint_bears",
        f"{RETRY}::test_calls_refused_together_do_not_come_back_together",
        f"{LIMITER}::test_refusals_of_one_flight_lower_the_pace_once",
    ),
    "llm_500_deterministic_same_body": (
        f"{CHAT}::test_the_same_500_three_times_is_given_up",
        f"{RETRY}::test_three_equal_failures_are_a_fault_of_the_request",
    ),
    "llm_529_503_alternating": (
        f"{CHAT}::test_an_overloaded_endpoint_that_says_so_in_the_same_words_is_tried_to_the_end",
        f"{RETRY}::test_failures_that_differ_are_tried_to_the_end",
    ),
    "llm_401_403_404_model": (
        f"{CHAT}::test_what_will_not_pass_is_asked_once_and_explained",
        f"{EXECUTE}::test_a_fatal_failure_stops_the_asking",
        f"{EXECUTE}::test_a_model_that_cannot_be_asked_does_not_stop_questions_to_another",
        f"{WAITING}::test_a_wrong_key_is_shown_to_no_more_than_are_under_way",
    ),
    "llm_400_context_length": (
        "sweep/test_run_sweep::test_a_failure_that_stays_costs_its_answer_or_where_hopeless_the_rest",
    ),
    "llm_connect_refused": (f"{NETWORK}::test_a_closed_port_is_named_and_ends_the_run",),
    "llm_dns_fail": (f"{NETWORK}::test_a_name_that_does_not_resolve_is_named",),
    "llm_tls_expired": (f"{NETWORK}::test_a_certificate_that_is_not_valid_is_not_asked_twice",),
    "llm_proxy_407": (f"{NETWORK}::test_a_proxy_that_refuses_is_named",),
    "llm_read_timeout_slow_drip": (f"{NETWORK}::test_an_answer_that_drips_or_hangs_ends_by_the_total_time", *SWEPT),
    "llm_reset_mid_body": SWEPT,
    "llm_chunked_truncated": SWEPT,
    "llm_content_length_lie": SWEPT,
    # What is compressed is refused before a byte of it is unpacked.
    "llm_gzip_bomb_1GB": SWEPT,
    **{
        f"llm_200_{form}": (f"{CHAT}::test_an_answer_that_is_none_is_malformed_after_three_attempts", *SWEPT)
        for form in ("html_captive_portal", "choices_null", "choices_empty", "content_null")
    },
    "llm_200_error_object": (f"{ANSWER}::test_whatever_an_endpoint_sends_is_an_answer_or_a_failed_attempt", *SWEPT),
    "llm_200_content_list_parts": (f"{CHAT}::test_what_the_model_did_is_a_result",),
    "llm_200_tool_call_only": (f"{CHAT}::test_what_will_not_pass_is_asked_once_and_explained",),
    **{
        f"llm_finish_{form}": (f"{CHAT}::test_what_the_model_did_is_a_result",)
        for form in ("length_candidate", "content_filter", "refusal")
    },
    "llm_model_returned_differs_from_requested": (
        f"{COMPARABLE}::test_another_model_than_the_one_asked_for_is_a_remark",
    ),
    "llm_fingerprint_changes_mid_run_between_arms": (
        f"{COMPARABLE}::test_another_set_up_for_one_version_is_a_remark",
        "unit/pipeline/test_questions::test_each_version_goes_first_about_half_the_time_and_the_same_way_every_run",
    ),
    "llm_response_contains_api_key_echo": (f"{SECRETS}::test_llm_response_contains_api_key_echo", *SWEPT),
    "llm_base_url_http_plain": (f"{ADDRESS}::test_an_address_that_exposes_something_is_refused_with_advice",),
    "llm_base_url_file_scheme": (f"{ADDRESS}::test_an_address_that_exposes_something_is_refused_with_advice",),
    "llm_base_url_metadata_ip_169.254": (f"{ADDRESS}::test_an_address_that_exposes_something_is_refused_with_advice",),
    "llm_base_url_redirect_to_other_host": SWEPT,
    "llm_budget_cap_hit_midrun": (
        f"{BUDGET}::test_the_budget_is_never_passed_and_pairs_stay_whole",
        f"{CHECK}::test_the_budget_ends_the_run_with_an_error_and_a_report",
        f"{WAITING}::test_calls_that_cost_more_than_could_be_expected_end_the_run_with_those_under_way",
    ),
    "llm_budget_zero": (f"{BUDGET}::test_a_budget_of_nothing_makes_no_call",),
    "llm_budget_dry_run": (f"{CHECK}::test_a_dry_run_prints_the_plan_and_asks_nothing",),
    "llm_run_deadline": (f"{CHECK}::test_the_deadline_ends_the_run_with_an_error_and_a_report",),
    "llm_sigkill_every_write_offset": (
        f"{KILL}::test_the_report_is_the_same_wherever_the_journal_ends",
        f"{KILL}::test_killed_after_the_nth_line",
        f"{JOURNAL}::test_killed_at_any_byte_a_journal_is_read_and_goes_on",
    ),
    "llm_journal_torn_line": (f"{KILL}::test_every_byte_of_the_last_line_may_be_missing",),
    "llm_journal_disk_full_ENOSPC": (
        f"{JOURNAL}::test_a_disk_that_fills_up_is_named_and_what_was_written_stays_readable",
    ),
    "llm_journal_readonly_fs": (f"{JOURNAL}::test_a_place_that_cannot_be_written_is_named_with_advice",),
    "llm_journal_two_processes_same_journal": (f"{JOURNAL}::test_a_second_process_cannot_write_the_same_journal",),
    "llm_clock_jump_backwards_ntp": (f"{EXECUTE}::test_a_clock_set_by_the_test_decides",),
    # Situations of public bug reports
    "equal_requests_are_one_observation": (f"{CHECK}::test_cases_that_send_the_same_requests_are_one_observation",),
    "git_criss_cross_merge_bases": (
        f"{GIT}::test_of_several_merge_bases_the_newest_is_taken",
        f"{CHECK}::test_of_several_merge_bases_the_report_names_the_one_taken",
    ),
    "out_ascii_terminal": ("integration/test_terminal::test_a_terminal_that_knows_ascii_only_is_no_defect",),
    "gh_api_url_empty": (f"{RACES}::test_an_empty_address_of_the_server_is_github_s_own",),
    "gh_token_with_line_break": (f"{RACES}::test_a_secret_with_a_line_break_is_refused_at_once",),
    "gh_socks_proxy": (
        f"{RACES}::test_a_socks_proxy_that_cannot_be_used_for_github_is_named_and_the_gate_still_decides",
    ),
    "in_journal_forged_and_committed": (
        "integration/test_hostile_folders::test_a_committed_journal_is_not_continued",
        "integration/test_hostile_folders::test_a_resumed_journal_is_said",
    ),
    "in_variable_fills_hundreds_of_megabytes": (
        f"{CHECK}::test_a_variable_that_fills_a_message_with_too_much_text_is_an_error_that_names_the_case",
        f"{PROMPTS}::test_a_message_is_not_put_together_beyond_its_bound",
    ),
    "out_report_disk_full_or_read_only": (
        f"{OUTPUT}::test_a_report_that_cannot_be_written_is_saved_elsewhere_and_its_run_continued",
        f"{OUTPUT}::test_an_output_folder_that_cannot_be_made_is_named_before_anything_is_asked",
        f"{OUTPUT}::test_the_action_puts_the_report_into_the_step_summary_and_sets_an_error",
    ),
    "llm_one_answer_of_another_model": (
        f"{COMPARABLE}::test_one_answer_of_another_model_is_left_out_and_the_rest_decides",
    ),
    "llm_judge_refuses_a_parameter": (
        "unit/scoring/judges/test_judge::test_what_a_model_refused_is_not_sent_to_it_again",
    ),
    "stat_cases_needed_is_one_true_number": (
        "unit/gates/test_decide::test_report_and_power_give_one_number_of_cases",
        "promises/test_cases_needed::test_the_answers_said_to_settle_it_settle_it_with_the_power_stated",
    ),
    # Statistics
    **{
        name: (f"{GATE}::test_{name}",)
        for name in (
            "stat_zero_discordant",
            "stat_3_regressions_0_fixes",
            "stat_4_regressions_0_fixes",
            "stat_5_0",
            "stat_8_0_20_prompts_holm",
            "stat_scores_constant",
            "stat_scores_one_outlier",
            "stat_cluster_5_paraphrases",
            "stat_unequal_replicates",
            "stat_weights_zero_or_negative",
            "stat_report_words",
        )
    },
    "stat_9_0_20_prompts_holm": (f"{GATE}::test_stat_8_0_20_prompts_holm",),
    "stat_scores_inf": (f"{GATE}::test_a_mark_that_is_no_number_is_refused",),
    "stat_scores_nan": (f"{GATE}::test_a_mark_that_is_no_number_is_refused",),
    "stat_aa_calibration_2000": (f"{PROMISES}::test_a_harmless_change_is_blocked_no_more_often_than_stated",),
    "stat_power_table_4_4": (
        f"{STATS}::test_the_table_of_detectable_drops",
        f"{PROMISES}::test_power_is_as_the_formula_says_within_two_points",
    ),
    "stat_flaky_quarantine_file_hides_everything": (
        f"{QUARANTINE}::test_more_than_a_fifth_in_quarantine_and_all_count",
        "unit/goldens/test_quarantine::test_never_more_than_a_fifth_of_a_set_stands_aside",
    ),
}


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / f"{file}.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_tests_that_are_there(fault: str) -> None:
    for place in FAULTS[fault]:
        file, _, name = place.partition("::")
        assert name in functions(file), place
