"""Cut Noto Sans SC down to the characters this project shows: assets/fonts/noto-sans-sc.ttf and .woff2.

    pip install "fonttools[woff]"
    npm pack @fontsource/noto-sans-sc && tar xzf fontsource-noto-sans-sc-*.tgz
    python -m scripts.subset_font package

A matplotlib figure has only the fonts it is given, and a browser on a machine without Chinese fonts would
show empty boxes. The characters are those of the captions, those in this project's own files, and common
ones of interfaces for sentences yet to be written. Run it again when a text needs more.
"""

import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from vlm_core.scenes.tokenizer import WordTokenizer
from vlm_core.scenes.world import CHINESE

ROOT = Path(__file__).parent.parent
FONTS = ROOT / "assets" / "fonts"
READ = {".py", ".js", ".html", ".json"}

INTERFACE = (
    "的一是在不了有和这个上下来到时大地为子你说生我他要就出会可也对能得着过那里后以多然于心看天去之都好还没用"
    "语言中文英切换设置帮助关闭打开保存取消确定返回首页下载上传清空画布笔刷橡皮颜色橙撤销重做样例随机场景图片描述"
    "训练开始暂停继续停止步骤已用剩余时间损失准确率曲线进度条模型参数随机权重尚未完成层头平均注意力均匀水平概率词"
    "逐字键盘鼠标指向悬停查看点击选择拖动难度级别干净手绘风格种子每秒张轮次评估验证未见过的错误请重试文件无法读取"
    "太小过期断连接服务器队列等待排队前面位人运行结束成功失败提示警告信息说明教程学习路径比较例如为什么如何哪里"
    "形状位置关系左右边上方下角中央数量零两三四五六七八九十百千万第几与或并且如果则当再从把被让给它们自己其全部"
    "仅只最更很非常约按量值最高低快慢长短新旧同样不同变化移除添加替换遮住区域块像素编码解码嵌入矩阵查询键值温度采样"
    "物体对象背景白纸线条真实世界照片理解回答问题标签得分对错正确答案网格热力透明叠加刻度范围跳读屏描摹空个"
)
PUNCTUATION = "，。、：；？！（）《》“”‘’…—·×→←≥≤±²"


def characters() -> str:
    """Every character the font must have, each once."""
    sources = [
        path.read_text(encoding="utf-8") for path in (ROOT / "vlm_core").rglob("*") if path.suffix in READ
    ]
    captions = "".join([*CHINESE.values(), *WordTokenizer().vocabulary])
    ascii_characters = "".join(map(chr, range(0x20, 0x7F)))
    return "".join(sorted(set("".join([ascii_characters, captions, INTERFACE, PUNCTUATION, *sources]))))


def main(package: Path) -> None:
    FONTS.mkdir(parents=True, exist_ok=True)
    options = subset.Options(layout_features=["kern"], hinting=False, notdef_outline=True)
    for flavor, name in ((None, "noto-sans-sc.ttf"), ("woff2", "noto-sans-sc.woff2")):
        font = TTFont(package / "files" / "noto-sans-sc-chinese-simplified-400-normal.woff2")
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters())
        cutter.subset(font)
        font.flavor = flavor
        font.save(FONTS / name)
        print(f"{name}: {len(font.getBestCmap())} characters, {(FONTS / name).stat().st_size / 1000:.0f} kB")
    shutil.copy(package / "LICENSE", FONTS / "OFL.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
