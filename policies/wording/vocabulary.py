"""Lists of words that several phrases are made of; commas part them, `*` stands for any ending."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ALWAYS",
    "ANSWERS",
    "ARTICLES",
    "CALL",
    "CALLED",
    "CALLING",
    "FIRST",
    "INSTRUCTIONS",
    "INTO",
    "MATTERS",
    "NOT",
    "OTHER",
    "OUGHT",
    "OUTSIDE",
    "READER",
    "SENDING",
    "SETTING_ASIDE",
    "TELLING",
    "TOOL",
    "USER",
]

NOT: Final = (
    "do not, don't, dont, don t, never, must not, mustn't, should not, shouldn't, cannot, can't,"
    " without, avoid, refrain from, no need to, not to"
)
ARTICLES: Final = "the, a, an, any, all, every, each, this, that, these, those, your, my, our"

# --- who is spoken to, and of

USER: Final = (
    "the user, the users, users, the human, the humans, the customer, the customers, the developer,"
    " the operator, the owner, the administrator, the admin, anyone, anybody, them, people,"
    " your user, your owner, your operator"
)
READER: Final = (
    "ai, ais, ai agent, ai agents, ai assistant, ai assistants, ai model, ai models, ai system,"
    " ai systems, llm, llms, language model, language models, large language model,"
    " large language models, assistant, assistants, agent, agents, chatbot, chatbots, bot, bots,"
    " claude, chatgpt, gpt, gpt-4, gpt-4o, gpt-5, gemini, copilot, cursor, llama, mistral, qwen,"
    " deepseek, model reading this, whoever reads this"
)
OUGHT: Final = (
    "must, should, shall, has to, have to, needs to, need to, is required to, are required to,"
    " is obliged to, is instructed to, are instructed to, is expected to, is authorized to,"
    " is allowed to, is to, are to, will always, will now, will never, may not, ought to,"
    " cannot refuse"
)

# --- what the reader was told before

SETTING_ASIDE: Final = "ignor*, disregard*, forget*, overrid*, overrul*, bypass*, circumvent*"
INSTRUCTIONS: Final = (
    "instruction*, instructed, prompt, prompts, guideline*, directive*, guardrail*, safeguard*,"
    " programming, training, alignment, system message, system messages"
)

# --- secrecy and secrets

TELLING: Final = (
    "tell*, mention*, inform*, notif*, reveal*, show*, disclos*, say*, alert*, report*, let*, ask*,"
    " warn*, expos*, shar*, discuss*, explain*, describ*, display*, confirm*, acknowledg*, bother*,"
    " consult*, involv*, worry, prompt*, trouble, admit*, talk*"
)
SENDING: Final = (
    "send, forward, post, upload, transmit, email, e-mail, leak, exfiltrate, copy, include, attach,"
    " append, pass, insert, embed, paste, put, place, provide, encode, share, submit, deliver,"
    " write, print, output, repeat, reveal, dump, collect, harvest, gather, extract, fetch, read,"
    " retrieve, supply, add, store, save, log, hand over, give, show, summarize, transfer"
)
MATTERS: Final = (
    "api key, api keys, api-key, apikey, password, passwords, passphrase, passphrases, credential,"
    " credentials, secret, secrets, token, tokens, private key, private keys, ssh key, ssh keys,"
    " secret key, secret keys, encryption key, cookies, session cookie, environment variable,"
    " environment variables, env vars, chat history, chat log, chat logs, conversation,"
    " conversations, conversation history, message history, previous messages, earlier messages,"
    " prior messages, system prompt, system prompts, context window, hidden prompt,"
    " hidden instructions, internal instructions, personal data, personal information,"
    " credit card, credit cards, bank details, seed phrase, recovery phrase, session id,"
    " private data, private files, private messages, os.environ, process.env"
)
INTO: Final = "to, into, in, as, with, via, at, through, inside, within, using"
OUTSIDE: Final = (
    "parameter, parameters, argument, arguments, field, fields, param, note, notes, sidenote,"
    " endpoint, webhook, url, attacker, comment, comments, feedback, hidden, this server,"
    " that server, our server, my server, the following, this address, that address, our address,"
    " this tool, an external, a remote, telemetry, description, metadata, every call, each call,"
    " every request, each request"
)

# --- tools and their use

TOOL: Final = (
    "tool, tools, function, functions, server, servers, plugin, plugins, api, apis, mcp, skill,"
    " skills"
)
OTHER: Final = (
    "other, another, different, alternative, built-in, builtin, native, similar, competing,"
    " standard, original, official"
)
CALL: Final = "call, use, invoke, run, execute, prefer, choose, select, trigger"
CALLED: Final = "called, used, invoked, run, executed, preferred, selected, triggered"
CALLING: Final = (
    "use, uses, used, using, call, calls, called, calling, invoke, invokes, invoking, run, runs,"
    " running, execute, executes, executing, trigger, triggering, activate, activating"
)
ALWAYS: Final = (
    "always, must, first, immediately, automatically, next, have to, need to, has to, needs to,"
    " be sure to, make sure to, remember to"
)
FIRST: Final = (
    "first, before any, before all, before every, before each, before other, before the other,"
    " before using, before calling, before anything, before you, instead of, for every, for each,"
    " for all, for any, whenever, every time, always, automatically, immediately, over any,"
    " over all, over other, regardless, no matter, exclusively, rather than, at the start,"
    " on every, on each, in every, with every, at the end of every, at the end of each,"
    " at the end of your"
)

# --- what is answered

ANSWERS: Final = (
    "response, responses, reply, replies, answer, answers, message, messages, output, summary"
)
