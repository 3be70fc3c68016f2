"""DLCodeGen as a tool that any LangChain agent can call: `create_agent(model, tools=[project_tool()])`.

Here the tool is called as an agent would call it, so that no model is needed.

    python examples/agent_tool.py
"""

from dlcodegen import project_tool

tool = project_tool()
message = tool.invoke(
    {
        "type": "tool_call",
        "id": "1",
        "name": tool.name,
        "args": {"requirement": "Classify customers who churn from 12 features with an MLP", "dataset": "CSV file"},
    }
)
print(message.content.splitlines()[0])
print(sorted(message.artifact))
