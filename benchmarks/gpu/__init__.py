"""Meta-training on a GPU: is it right, does it repeat, how fast is it, and where does time go.

One command for a machine that is at hand for minutes and has no network. It needs PyTorch 2.11 or
newer, NumPy, PyArrow, safetensors and pydantic, on Python 3.11 to 3.13, and nothing else.
"""
