"""The whole story: one requirement, from a sentence to a project that runs.

Each stage is a plain function in `dlcodegen.nodes`; each question is a router in `dlcodegen.graph.routers`.
"""

from langgraph.graph import START, StateGraph

from dlcodegen.context import Context
from dlcodegen.graph import routers
from dlcodegen.graph.stage import stage
from dlcodegen.nodes.abstract_template import abstract_template
from dlcodegen.nodes.check import check
from dlcodegen.nodes.check_drafts import check_drafts
from dlcodegen.nodes.deliver import deliver
from dlcodegen.nodes.draft_from_code import draft_from_code
from dlcodegen.nodes.draft_from_template import draft_from_template
from dlcodegen.nodes.filter_category import filter_category
from dlcodegen.nodes.merge import merge
from dlcodegen.nodes.plan import plan
from dlcodegen.nodes.read_requirement import read_requirement
from dlcodegen.nodes.repair import repair
from dlcodegen.nodes.retrieve import retrieve
from dlcodegen.nodes.write_directly import write_directly
from dlcodegen.state import InputState, State

builder = StateGraph(State, context_schema=Context, input_schema=InputState)

# Understand: what is asked for, and how would one solve it?
builder.add_node("read_requirement", stage(read_requirement))
builder.add_node("plan", stage(plan))
builder.add_edge(START, "read_requirement")
builder.add_conditional_edges("read_requirement", routers.is_there_something_to_plan)

# Ground: which code that runs is nearest?
builder.add_node("filter_category", stage(filter_category))
builder.add_node("retrieve", stage(retrieve))
builder.add_conditional_edges("plan", routers.is_code_looked_up)
builder.add_conditional_edges("filter_category", routers.can_the_pool_serve)

# Write twice: after the code, and after the template abstracted from it.
builder.add_node("abstract_template", stage(abstract_template))
builder.add_node("draft_from_code", stage(draft_from_code))
builder.add_node("draft_from_template", stage(draft_from_template))
builder.add_conditional_edges(
    "retrieve", routers.which_drafts, ["draft_from_code", "abstract_template", "write_directly"]
)
builder.add_edge("abstract_template", "draft_from_template")

# Compare on evidence. Deferred: it waits until both drafts are there.
builder.add_node("check_drafts", stage(check_drafts), defer=True)
builder.add_node("merge", stage(merge))
builder.add_edge("draft_from_code", "check_drafts")
builder.add_edge("draft_from_template", "check_drafts")
builder.add_conditional_edges("check_drafts", routers.is_there_something_to_merge)
builder.add_conditional_edges("merge", routers.is_the_merge_checked)

# Execute, repair within bounds, hand over the best.
builder.add_node("check", stage(check))
builder.add_node("repair", stage(repair))
builder.add_node("deliver", stage(deliver))
builder.add_conditional_edges("check", routers.is_it_worth_a_repair)
builder.add_edge("repair", "check")
builder.set_finish_point("deliver")

# What the method is compared with: one answer of the model, checked and handed over as it is.
builder.add_node("write_directly", stage(write_directly))
builder.add_edge("write_directly", "check")

graph = builder.compile(name="DLCodeGen").with_config(recursion_limit=60)
