"""The paper's figures (arXiv 2102.06536, abstract), which name neither metric nor baseline."""

#: less IR drop in expansion mode, and the gain per 10-bit convolution in deep-net mode
IR_DROP, SPEED = 0.22, 0.29
