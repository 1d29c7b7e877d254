"""Wordings of the questions, English and Chinese, and of the answers that say what the model cannot do."""

from __future__ import annotations

READ_ALL = (
    "Read the text in this picture.", "What does it say?", "Read all the text.", "What is written here?",
    "Transcribe the text in the image.", "OCR", "Please read this picture.", "What text is in the image?",
    "Read this.", "Extract all text from this image.", "What does the picture say?", "Read the text.",
    "请读出图中的文字。", "图片里写了什么？", "识别图中的所有文字。", "读一下这张图。", "图中的文字是什么？", "提取文字",
)  # fmt: skip
READ_LINE = (
    "What does line {n} say?", "Read line {n}.", "Read only line number {n}.", "What is written in line {n}?",
    "第{n}行写的是什么？", "只读第{n}行。", "请读出第{n}行。",
)  # fmt: skip
READ_LAST = ("What does the last line say?", "Read the last line.", "最后一行写的是什么？", "读出最后一行。")
READ_FIRST = (
    "What does the first line say?",
    "Read the first line.",
    "What is the title?",
    "第一行写的是什么？",
    "标题是什么？",
)
COUNT_LINES = (
    "How many lines of text are there?",
    "Count the lines of text.",
    "图中有几行文字？",
    "有多少行字？",
)
READ_BOX = (
    "What text is in the box {box}?", "Read the text at {box}.", "What is written inside {box}?",
    "{box} 里写的是什么？", "读出区域 {box} 里的文字。",
)  # fmt: skip
FIND_TEXT = (
    'Where is "{text}"? Answer with bbox_2d in JSON.', 'Locate "{text}" and output its bbox_2d in JSON.',
    'Find the text "{text}", output the box in JSON.', 'Give the bounding box of "{text}".',
    'Ground the word "{text}" in JSON format.', 'Where is "{text}"?', 'Find "{text}".',
    "“{text}”在哪里？用 JSON 输出 bbox_2d。", "定位“{text}”，以 JSON 格式输出坐标。", "找出“{text}”的位置。",
)  # fmt: skip
FIND_BUTTON = (
    'Locate the button "{text}", output its bbox_2d in JSON.', 'Where is the "{text}" button? Answer in JSON.',
    'Find the button labelled "{text}".', 'Give the bounding box of the button "{text}".',
    'Click on "{text}": where is it? Output bbox_2d.',
    "“{text}”按钮在哪里？用 JSON 输出 bbox_2d。", "定位按钮“{text}”，以 JSON 格式输出。",
)  # fmt: skip
FIND_SHAPE = (
    "Locate the {what}, output its bbox_2d in JSON.", "Where is the {what}? Answer with bbox_2d in JSON.",
    "Give the bounding box of the {what}.",
    "定位{what}，以 JSON 格式输出 bbox_2d。", "用 JSON 输出{what}的 bbox_2d。",
)  # fmt: skip
COUNT_SHAPES = ("How many shapes are there?", "Count the shapes.", "图中有几个图形？", "一共有多少个图形？")
COUNT_KIND = (
    "How many {what} are there?",
    "Count the {what}.",
    "图中有几个{what}？",
    "数一数{what}有多少个。",
)
COUNT_COLOUR = (
    "How many {what} shapes are there?",
    "Count the {what} shapes.",
    "{what}的图形有几个？",
    "有多少个{what}的图形？",
)
NAME_PLACE = (
    "What is at the {place}?",
    "Which shape is at the {place}?",
    "{place}是什么图形？",
    "{place}有什么？",
)
PLACE_OF = (
    "Where is the {what}? Answer in words.",
    "In which part of the picture is the {what}?",
    "{what}在图中的什么位置？",
)
COLOUR_OF = ("What colour is the {what}?", "Which color is the {what}?", "{what}是什么颜色？")
NAME_ALL = ("Which shapes are in the picture?", "Describe the picture.", "What do you see?", "What is in this image?",
            "描述这张图。", "图里有什么？", "你看到了什么？")  # fmt: skip
SUM_ALL = ("What is the sum of all numbers?", "What is the total?", "Add up the numbers.", "How much is it in all?",
           "所有数字的和是多少？", "总共是多少？", "一共多少钱？")  # fmt: skip
SUM_TWO = (
    "How much are {a} and {b} together?",
    "What is {a} plus {b}?",
    "{a}和{b}一共多少？",
    "{a}加{b}是多少？",
)
DIFFERENCE = (
    "How much more is {a} than {b}?",
    "What is the difference between {a} and {b}?",
    "{a}比{b}多多少？",
)
LARGEST = (
    "Which number is the largest?",
    "What is the highest number?",
    "最大的数字是多少？",
    "哪个数最大？",
)
SMALLEST = (
    "Which number is the smallest?",
    "What is the lowest number?",
    "最小的数字是多少？",
    "哪个数最小？",
)
MOST = ("Which one costs the most?", "Which has the highest number?", "哪一个最贵？", "哪一项的数最大？")
LEAST = ("Which one costs the least?", "Which has the lowest number?", "哪一个最便宜？", "哪一项的数最小？")
SPREAD = ("What is the largest number minus the smallest?", "最大的数减去最小的数是多少？")
COUNT_OVER = (
    "How many numbers are larger than {n}?",
    "How many of them are more than {n}?",
    "有几个数大于{n}？",
    "大于{n}的有几个？",
)
PRICE = ("How much is {a}?", "What number stands beside {a}?", "{a}是多少？", "{a}多少钱？")
SOLVE = (
    "What is the result?",
    "Solve this.",
    "Calculate.",
    "What is the answer?",
    "结果是多少？",
    "计算一下。",
    "答案是什么？",
)
WHEN = (
    "When does the scene change? Answer as mm:ss.ff.", "At what time does something change?",
    "When does the change happen?", "Find the moment of the change, as mm:ss.ff.",
    "画面什么时候发生变化？用 mm:ss.ff 回答。", "什么时候变的？", "变化发生在什么时刻？",
)  # fmt: skip
WHAT_CHANGES = ("What changes in the video?", "What happens?", "视频里有什么变化？", "发生了什么？")
HELLO = (
    "Hello",
    "Hi",
    "hi!",
    "Hello, who are you?",
    "What can you do?",
    "Who are you?",
    "Help",
    "Thanks!",
    "Test",
)
HELLO_CHINESE = ("你好", "你是谁？", "你能做什么？", "您好！", "帮助", "谢谢")
CANNOT_ASK = (
    "Write a poem about {w}.", "Who painted this?", "Translate this into French.", "What is the capital of {W}?",
    "Explain {w} to me.", "Write a Python function that sorts a list.", "What is the weather like today?",
    "Is the person happy?", "Who is this person?", "What breed is this dog?", "Summarize the history of {w}.",
    "Why is the sky blue?", "Tell me a joke.", "Which year was {W} founded?", "Give me a recipe for {w}.",
    "What do you think about {w}?", "Write an email to {W}.", "Is this picture real?", "What does {w} mean?",
    "Compose a song.", "Fix the bug in this code.", "Convert this to HTML.", "Who won the match?",
    "Tell me about {w} and {v}.", "Please {w} the {v}.", "What kind of car is this?", "How do I {w}?",
)  # fmt: skip
CANNOT_ASK_CHINESE = (
    "写一首诗。", "把它翻译成法语。", "这是谁画的？", "天气怎么样？", "解释一下量子力学。", "这个人是谁？",
    "给我讲个笑话。", "写一段代码。", "这是什么品种的狗？", "为什么天是蓝的？", "写一封信。", "总结一下历史。",
    "你怎么看这个问题？", "这张照片是在哪里拍的？", "推荐一部电影。",
)  # fmt: skip
ABILITIES = "I am a very small model. I read text, find words, count shapes and add numbers in pictures."
ABILITIES_CHINESE = "我是一个很小的模型，会读图中的文字、找词、数图形和做加法。"
CANNOT = "Sorry, I cannot do that. I only read text, find words, count shapes and add numbers in pictures."
CANNOT_CHINESE = "抱歉，我不会这个。我只会读图中的文字、找词、数图形和做加法。"
CANNOT_THOUGHT = "I was never taught this."
NO_PICTURE = "There is no picture. Please add one."
NO_PICTURE_CHINESE = "没有图片，请先添加一张。"
NOT_THERE = "It is not in the picture."
NOT_THERE_CHINESE = "图中没有。"

SHAPE_CHINESE = {
    "circle": "圆形",
    "square": "正方形",
    "triangle": "三角形",
    "star": "星形",
    "diamond": "菱形",
    "cross": "十字",
}
COLOUR_CHINESE = {"red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色", "purple": "紫色",
                  "black": "黑色", "white": "白色"}  # fmt: skip
PLACES = (
    ("top left", "top", "top right"), ("left", "center", "right"), ("bottom left", "bottom", "bottom right"),
)  # fmt: skip
PLACES_CHINESE = (("左上角", "上方", "右上角"), ("左边", "中间", "右边"), ("左下角", "下方", "右下角"))


def is_chinese(text: str) -> bool:
    """Whether a wording is Chinese."""
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def plural(name: str) -> str:
    """Of a shape's English name."""
    return name + ("es" if name.endswith("cross") else "s")
