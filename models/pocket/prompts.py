"""Wordings of the questions, English and Chinese, and of the answers that say what the model cannot do."""

from __future__ import annotations

from random import Random

READ_ALL = (
    "Read the text in this picture.", "What does it say?", "Read all the text.", "What is written here?",
    "Transcribe the text in the image.", "OCR", "Please read this picture.", "What text is in the image?",
    "Read this.", "Extract all text from this image.", "What does the picture say?", "Read the text.",
    "请读出图中的文字。", "图片里写了什么？", "识别图中的所有文字。", "读一下这张图。", "图中的文字是什么？", "提取文字",
    "Copy the text out of this picture", "Read the page.", "Read the text on this page.", "Type out the text.",
    "What does this say?", "Read the text in the screenshot.", "Write down what it says.", "Show me the text.",
    "Read everything.", "提取图中的所有文字。", "图上写着什么？", "把图中的文字抄下来。", "这里写了什么？", "读一下这一页。",
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
READ_PICTURE = (
    "Read picture {n}.", "What does picture {n} say?", "Read the text in picture {n}.", "What is written in picture {n}?",
    "第{n}张图写了什么？", "读出第{n}张图的文字。", "图{n}里写了什么？",
)  # fmt: skip
READ_PAGE = (
    "Read page {n}.", "What does page {n} say?", "Read the text on page {n}.", "What is on page {n}?",
    "第{n}页写了什么？", "读出第{n}页的文字。",
)  # fmt: skip
WHICH_PICTURE = ('Which picture says "{text}"?', 'In which picture is "{text}"?', "“{text}”在第几张图？")
WHICH_PAGE = (
    'Which page says "{text}"?',
    'On which page is "{text}"?',
    "“{text}”在第几页？",
    "哪一页有“{text}”？",
)
SPOT = (
    "Spotting all the text in the image with line-level, and output in JSON format.",
    "Find all the text with its places, in JSON.", "Give every line of text with its bbox_2d in JSON.",
    "识别图中的所有文字，按行给出位置，以 JSON 格式输出。", "用 JSON 输出每一行文字和它的 bbox_2d。",
)  # fmt: skip
TABLE_MARKDOWN = (
    "Turn this table into Markdown", "Convert the table to Markdown.", "Write this table as Markdown.",
    "把这个表格转换成 Markdown", "将表格转换为 Markdown。",
)  # fmt: skip
TABLE_CSV = (
    "Convert the table in the image to CSV. Output nothing but the CSV, in a code block.",
    "Turn this table into CSV.", "Convert the table to CSV.",
    "将图中的表格转换为 CSV，只在代码块中输出 CSV。", "把表格转换成 CSV。",
)  # fmt: skip
FIND_TEXT = (
    'Where is "{text}"? Answer with bbox_2d in JSON.', 'Locate "{text}" and output its bbox_2d in JSON.',
    'Find the text "{text}", output the box in JSON.', 'Give the bounding box of "{text}".',
    'Ground the word "{text}" in JSON format.', 'Where is "{text}"?', 'Find "{text}".',
    "“{text}”在哪里？用 JSON 输出 bbox_2d。", "定位“{text}”，以 JSON 格式输出坐标。", "找出“{text}”的位置。",
    'Locate every instance of "{text}" in the image. Report bbox coordinates in JSON format.',
    "找出图中所有的“{text}”，以 JSON 格式输出 bbox_2d 坐标。", 'Where does it say "{text}"?', 'Show me where "{text}" is.',
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
COUNT_SHAPES = (
    "How many shapes are there?",
    "Count the shapes.",
    "图中有几个图形？",
    "一共有多少个图形？",
    "How many shapes do you see?",
    "How many shapes are in the picture?",
    "有几个图形？",
)
COUNT_KIND = (
    "How many {what} are there?",
    "Count the {what}.",
    "图中有几个{what}？",
    "数一数{what}有多少个。",
    "How many {what} do you see?",
    "How many {what} are in the picture?",
    "{what}有几个？",
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
           "所有数字的和是多少？", "总共是多少？", "一共多少钱？",
           "What is the sum?", "What's the sum of the numbers?", "Sum?", "Total?", "Sum up all numbers.",
           "Add everything up.", "Add them all up.", "What do the numbers add up to?", "What do these add up to?",
           "Calculate the total.", "Calculate the sum.", "How much is it altogether?", "How much is everything together?",
           "What does everything cost together?", "How much do I have to pay in all?", "Give me the total.",
           "Work out the sum.", "What is the sum of the numbers in the picture?", "Find the total of all items.",
           "和是多少？", "总和是多少？", "求和", "加起来是多少？", "合计多少？", "全部加起来等于多少？", "总价是多少？",
           "把所有数字加起来。", "请计算总和。", "图中数字的总和是多少？")  # fmt: skip
SUM_TWO = (
    "How much are {a} and {b} together?",
    "What is {a} plus {b}?",
    "{a}和{b}一共多少？",
    "{a}加{b}是多少？",
    "Add {a} and {b}.",
    "What is the sum of {a} and {b}?",
    "What do {a} and {b} cost together?",
    "{a}与{b}的和是多少？",
)
DIFFERENCE = (
    "How much more is {a} than {b}?",
    "What is the difference between {a} and {b}?",
    "{a}比{b}多多少？",
    "How much more does {a} cost than {b}?",
    "Subtract {b} from {a}.",
    "What is {a} minus {b}?",
    "{a}减{b}是多少？",
    "{a}和{b}相差多少？",
)
LARGEST = (
    "Which number is the largest?",
    "What is the highest number?",
    "最大的数字是多少？",
    "哪个数最大？",
    "What is the largest number?",
    "What is the maximum?",
    "Find the largest number.",
    "最大值是多少？",
)
SMALLEST = (
    "Which number is the smallest?",
    "What is the lowest number?",
    "最小的数字是多少？",
    "哪个数最小？",
    "What is the smallest number?",
    "What is the minimum?",
    "Find the smallest number.",
    "最小值是多少？",
)
MOST = (
    "Which one costs the most?",
    "Which has the highest number?",
    "哪一个最贵？",
    "哪一项的数最大？",
    "Which item has the largest number?",
    "What is the most expensive?",
    "Which one is the largest?",
    "最贵的是什么？",
)
LEAST = (
    "Which one costs the least?",
    "Which has the lowest number?",
    "哪一个最便宜？",
    "哪一项的数最小？",
    "Which item has the smallest number?",
    "What is the cheapest?",
    "Which one is the smallest?",
    "最便宜的是什么？",
)
SPREAD = (
    "What is the largest number minus the smallest?",
    "最大的数减去最小的数是多少？",
    "What is the difference between the largest and the smallest number?",
    "最大数与最小数相差多少？",
)
COUNT_OVER = (
    "How many numbers are larger than {n}?",
    "How many of them are more than {n}?",
    "有几个数大于{n}？",
    "大于{n}的有几个？",
    "How many numbers are above {n}?",
    "How many numbers are greater than {n}?",
    "Count the numbers above {n}.",
    "比{n}大的数有几个？",
)
PRICE = (
    "How much is {a}?",
    "What number stands beside {a}?",
    "{a}是多少？",
    "{a}多少钱？",
    "How much does {a} cost?",
    "What is the number of {a}?",
    "What is the price of {a}?",
    "{a}的数字是多少？",
)
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


def vary(rng: Random, question: str) -> str:
    """As people type: at times politely, in lower case, or without the last stop."""
    draw = rng.random()
    if draw > 0.3:
        return question
    chinese = is_chinese(question)
    if draw < 0.08 and chinese:
        return f"请问{question}" if question[-1] in "？?" else question
    if draw < 0.08 and question[-1] == "." and question[0].isupper() and not question[:2].isupper():
        return f"Please {question[0].lower()}{question[1:]}"
    if draw < 0.18 and not chinese and not question[:2].isupper():
        question = question[0].lower() + question[1:]
    return question.rstrip(".?。？") if draw > 0.12 else question


def is_chinese(text: str) -> bool:
    """Whether a wording is Chinese."""
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def plural(name: str) -> str:
    """Of a shape's English name."""
    return name + ("es" if name.endswith("cross") else "s")
