"""The API server of google-adk with an agent whose model is made up: ``python -m tests.peers.servers.adk PORT FOLDER``.

The last message of the user chooses what the model says; its pieces go through the kit's own aggregation, as those of
Gemini do.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from google.adk.agents import LlmAgent
from google.adk.cli.fast_api import get_fast_api_app
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.utils.streaming_utils import StreamingResponseAggregator
from google.genai import types


def _usage(prompt: int, made: int, thought: int | None = None) -> types.GenerateContentResponseUsageMetadata:
    return types.GenerateContentResponseUsageMetadata(
        prompt_token_count=prompt,
        candidates_token_count=made,
        thoughts_token_count=thought,
        total_token_count=prompt + made + (thought or 0),
    )


def _answer(*parts: types.Part, usage: types.GenerateContentResponseUsageMetadata) -> types.GenerateContentResponse:
    content = types.Content(role="model", parts=list(parts))
    return types.GenerateContentResponse(candidates=[types.Candidate(content=content)], usage_metadata=usage)


class Model(BaseLlm):
    """Says one of a few things."""

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncIterator[LlmResponse]:
        """Yield what the model says, in pieces where a stream is asked for."""
        last = llm_request.contents[-1].parts[0]
        pieces = self._pieces(last.text or "", answered=last.function_response is not None)
        if not stream:
            parts = [part for piece in pieces for part in piece.candidates[0].content.parts]
            whole = _answer(*parts, usage=pieces[-1].usage_metadata)
            yield LlmResponse.create(whole)
            return
        aggregator = StreamingResponseAggregator()
        pieces[-1].candidates[0].finish_reason = types.FinishReason.STOP
        for piece in pieces:
            async for response in aggregator.process_response(piece):
                yield response
        if (end := aggregator.close()) is not None:
            yield end

    def _pieces(self, said: str, answered: bool) -> list[types.GenerateContentResponse]:
        text = types.Part.from_text
        if said == "limit":
            raise RuntimeError('429 RESOURCE_EXHAUSTED. {"error": {"code": 429, "message": "Please retry in 7s."}}')
        if said == "tool" and not answered:
            call = types.Part.from_function_call(name="lookup", args={"city": "Oslo"})
            return [_answer(text(text="Let me see."), usage=_usage(5, 3)), _answer(call, usage=_usage(5, 9))]
        if said == "think":
            thought = types.Part(text="Hm.", thought=True)
            return [_answer(thought, usage=_usage(4, 0, 2)), _answer(text(text="Yes."), usage=_usage(4, 1, 2))]
        return [_answer(text(text=word), usage=_usage(6, at + 1)) for at, word in enumerate(("All", " is", " well."))]


def lookup(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


root_agent = LlmAgent(name="helper", model=Model(model="made-up"), tools=[lookup])


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    (folder / "helper").mkdir()
    (folder / "helper" / "__init__.py").write_text("")
    (folder / "helper" / "agent.py").write_text("from tests.peers.servers.adk import root_agent\n")
    app = get_fast_api_app(agents_dir=str(folder), web=False, session_service_uri="memory://")
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))
