"""Structure: outputs of one form. A schema becomes a grammar, and a grammar a mask for each token.

The grammar is llguidance's (github.com/guidance-ai/llguidance). A mask alone does not make JSON
end, so each output also knows a short way to its end, and takes it where its limit is near.
"""

from ethogram.engine.structure.form import Form, OutputForm, form_of

__all__ = ["Form", "OutputForm", "form_of"]
