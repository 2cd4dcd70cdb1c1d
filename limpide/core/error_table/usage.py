"""What a UsageError says, and what docs/reference/errors.md explains of it: one entry a code, so this file is as long
as there are errors.
"""

from __future__ import annotations

from limpide.core.error_table.entry import ErrorEntry
from limpide.text.messages import N_

USAGE_ERRORS = {
    "L100": ErrorEntry(
        what=N_("there is no such command"),
        explanation="""
        The first word after `limpide` is not one of its commands. `limpide --help` lists them; where a command has
        a similar name, it is offered.
        """,
    ),
    "L101": ErrorEntry(
        what=N_("there is no option of this name"),
        explanation="""
        A choice of the recipe is misspelt. Names known from scikit-learn, Keras, fastai, timm and Ultralytics are
        understood (`batch_size`, `lr0`, `imgsz` …); `limpide train --help` lists our own.
        """,
    ),
    "L102": ErrorEntry(
        what=N_("the value of {name} must be {expected}"),
        todo=N_("see limpide train --help"),
        explanation="""
        The option exists, but not with this value: it is not a number, it is out of range, or it is not one
        of the words that are allowed. The message names what is allowed.
        """,
    ),
    "L103": ErrorEntry(
        what=N_("test, validation and calibration together leave too little to train on"),
        todo=N_("make them add up to at most 0.9"),
        explanation="""
        The three shares add up to more than 0.9 of the images. Lower one of them.
        """,
    ),
    "L104": ErrorEntry(
        what=N_("this is not a duration"),
        todo=N_("write 90s, 5m, 1h30m or 30d"),
        explanation="""
        `--time` wants a number with a unit: `90s`, `5m`, `1h30m`. A number alone counts as seconds.
        """,
    ),
    "L105": ErrorEntry(
        what=N_("this device is not available here"),
        todo=N_("use --device cpu, or auto"),
        explanation="""
        `--device` names a graphics card that this computer, or this build of PyTorch, does not have. `--device cpu`
        always works; `auto` takes the best there is.
        """,
    ),
    "L106": ErrorEntry(
        what=N_("there is no network of this name"),
        explanation="""
        `--model` of `limpide train` wants one of the networks that the message lists, or `auto`; `limpide models`
        lists them with what each costs.
        """,
    ),
    "L107": ErrorEntry(
        what=N_("this language is not available"),
        todo=N_("choose one of {names}"),
        explanation="""
        `--lang` (or `LIMPIDE_LANG`) is not one of the languages that limpide has been translated into.
        """,
    ),
    "L108": ErrorEntry(
        what=N_("no file matches"),
        todo=N_("give image files, a folder, or a pattern in quotes"),
        explanation="""
        `limpide predict` found nothing to look at: the folder is empty, or no file fits the pattern. Check the
        path; put a pattern in quotes.
        """,
    ),
    "L109": ErrorEntry(
        what=N_("the network has no layer of this name"),
        todo=N_("did you mean {guess}? There are {names}"),
        explanation="""
        `--layer` of `limpide explain` wants a convolution or linear layer of this network; the message lists the
        first of them.
        """,
    ),
    "L110": ErrorEntry(
        what=N_("this unit cannot be opened"),
        todo=N_("the channel must be below {channels}, the row below {rows}, the column below {columns}"),
        explanation="""
        The channel, row or column lies outside the layer, or the layer is of a kind whose arithmetic is not shown
        yet. The message says how large the layer is.
        """,
    ),
    "L111": ErrorEntry(
        what=N_("an exported model cannot be written to this path"),
        todo=N_("give a folder that exists, or a file name that ends in .onnx in such a folder"),
        explanation="""
        `limpide export` wants a folder that exists, or a file in one whose name ends in `.onnx`. Without either, it
        writes into the present folder.
        """,
    ),
    "L112": ErrorEntry(
        what=N_("paths of image files were expected"),
        todo=N_("give a path or a list of paths"),
        explanation="""
        `ImageClassifier.predictions` names files, and got something else than a path, a folder, a pattern or a list
        of them. For bytes, Pillow images and arrays there are `predict` and `predict_proba`.
        """,
    ),
    "L113": ErrorEntry(
        what=N_("this option is given under two names"),
        todo=N_("keep one of the two names"),
        explanation="""
        One choice was given under two of its names (`lr` and `lr0`, say), and they may disagree. Keep one.
        """,
    ),
    "L114": ErrorEntry(
        what=N_("a unit is given without its layer"),
        todo=N_("add --layer, or leave --channel, -y and -x out"),
        explanation="""
        `limpide explain` got a channel, a row or a column, and no layer they could belong to. Add `--layer`, or
        leave them out to see the unit of the first convolution that matters most for the answer.
        """,
    ),
    "L115": ErrorEntry(
        what=N_("reading Parquet needs a package that is not installed"),
        todo="pip install 'limpide[parquet]'",
        explanation="""
        `pip install 'limpide[parquet]'` adds it. CSV and TSV need nothing.
        """,
    ),
    "L116": ErrorEntry(
        what=N_("the table has no column of this name"),
        explanation="""
        `--groups` names a column that is not in the first line of the table; the nearest name is offered.
        """,
    ),
    "L117": ErrorEntry(
        what=N_("labels and groups are only for arrays and lists of paths"),
        todo=N_("leave them out: the folder or table contains them"),
        explanation="""
        `ImageClassifier.fit` got a folder, a table or an archive, and labels or groups beside it. Those have their
        own: class folders, or columns of the table (the parameter `groups` names them).
        """,
    ),
    "L118": ErrorEntry(
        what=N_("this is not the shape of an image"),
        todo=N_("write (height, width) or (height, width, 3)"),
        explanation="""
        `image_shape` of `FlatImageClassifier` wants whole numbers above zero: `(height, width)` for grey, `(height,
        width, 3)` for red, green and blue.
        """,
    ),
    "L119": ErrorEntry(
        what=N_("only a table has group columns"),
        todo=N_("give a table with the columns file, label and {groups}"),
        explanation="""
        `--groups` names columns of a table. A folder has none: write a table with the columns `file`, `label` and
        the group.
        """,
    ),
    "L120": ErrorEntry(
        what=N_("another file already has this name"),
        todo=N_("name the file to write: limpide export {run} NAME.onnx"),
        explanation="""
        `limpide export RUN` names the file after the run, and a different file has that name already. Name the one
        to write.
        """,
    ),
    "L121": ErrorEntry(
        what=N_("this time has no unit"),
        todo=N_("write {older}d for days or {older}h for hours"),
        explanation="""
        `--older 30` could mean days or seconds. Write `30d`, `12h` or `90s`.
        """,
    ),
    "L122": ErrorEntry(
        what=N_("there is no network of this name with published weights"),
        explanation="""
        `limpide models` lists the networks; those with published weights say so in the column `pretrained`. A run
        of your own is named by its path.
        """,
    ),
    "L123": ErrorEntry(
        what=N_("there is no lesson of this name"),
        explanation="""
        `limpide lesson` lists them all with what each shows; a name is written as in that list.
        """,
    ),
    "L124": ErrorEntry(
        what=N_("this lesson has its own data"),
        todo=N_("see limpide lesson --help"),
        explanation="""
        Only the lessons on images take other data: `linear_images`, `transfer`, `joined` and `where_is_it_stored`.
        """,
    ),
    "L125": ErrorEntry(
        what=N_("this port is taken"),
        todo=N_("leave --port out, and a free one is found"),
        explanation="""
        Another program listens on the port that `--port` names. Without `--port` the studio takes the first free
        one from 8765 on.
        """,
    ),
    "L126": ErrorEntry(
        what=N_("there is no such folder of runs"),
        todo=N_("give the folder that contains the runs, or no folder for runs/"),
        explanation="""
        `limpide studio FOLDER` takes the folder that holds the runs, or one run; without a name it takes `runs/`.
        """,
    ),
    "L127": ErrorEntry(
        what=N_("the studio's pages are missing because npm was not available when limpide was installed"),
        todo=N_("install npm, then reinstall limpide; everything else works without npm"),
        explanation="""
        A source checkout copies the pages' modules from npm when it is installed; a wheel carries them. Nothing
        else needs npm.
        """,
    ),
    "L128": ErrorEntry(
        what=N_("this network starts from random weights: it has no pretrained weights to freeze"),
        todo=N_("leave --freeze out, or give --weights"),
        explanation="""
        `--freeze` keeps published or given weights as they are. A network that learns from scratch has only random
        ones: keeping those teaches nothing.
        """,
    ),
    "L129": ErrorEntry(
        what=N_("only the EfficientNets can train with their first blocks frozen"),
        todo=N_("leave --freeze out"),
        explanation="""
        `--freeze` counts blocks from the first on. Other networks learn as a whole; leave the option out.
        """,
    ),
    "L130": ErrorEntry(
        what=N_("this network has {n} blocks"),
        todo=N_("choose at most that number, or head"),
        explanation="""
        `--freeze` wants a number up to that, `head` (everything but the last layer stays), `none` or `auto`.
        `limpide models NAME` lists the blocks.
        """,
    ),
    "L131": ErrorEntry(
        what=N_("the explanation cannot be written to this path"),
        todo=N_("give a file name that ends in {endings}, in a folder that exists"),
        explanation="""
        `limpide explain --out` and `limpide.see(…).save` want a file in a folder that exists, and its ending says
        what is written: a picture (`.png`), a page (`.html`) or numbers (`.json`).
        """,
    ),
    "L132": ErrorEntry(
        what=N_("limpide cannot explain an object of this type"),
        todo=N_("give a run, a fitted ImageClassifier, the name of a published network, or a torch module"),
        explanation="""
        `limpide.see` takes a run, a fitted `ImageClassifier`, the name of a published network or a torch module. It
        got something else.
        """,
    ),
    "L133": ErrorEntry(
        what=N_("the preprocessing of this network is not known"),
        todo=N_("give a tensor (1, channels, height, width), normalised, or preprocessing="),
        explanation="""
        A torch module does not say to which size an image is brought and how its pixels are normalised. Give
        `limpide.see` a tensor (1, channels, height, width) that is normalised already, or a `Preprocessing` as
        `preprocessing=`.
        """,
    ),
    "L134": ErrorEntry(
        what=N_("this would overwrite the image itself"),
        todo=N_("give another file with --out"),
        explanation="""
        `--out` names the very image that is explained. Name another file; nothing was written.
        """,
    ),
    "L135": ErrorEntry(
        what=N_("there is no class and no saliency method of this name"),
        todo=N_("choose one of {names}"),
        explanation="""
        A method of saliency, or a class, that does not exist. The message lists the first of those there are.
        """,
    ),
    "L138": ErrorEntry(
        what=N_("a value range goes from a smaller to a larger number"),
        todo=N_("write the smaller number first: 0..4095"),
        explanation="""
        `--value-range LOW..HIGH` says which values of images of more than 8 bits become black and white: `0..4095`
        for a 12-bit scanner, `-1024..3071` for computed tomography. LOW must be smaller than HIGH, and both finite.
        """,
    ),
    "L139": ErrorEntry(
        what=N_("--model and --images go together, without a folder of runs"),
        todo=N_("see limpide studio --help"),
        explanation="""
        `limpide studio --model NAME --images FOLDER` opens a network without a training; `limpide studio RUNS`
        opens runs. One or the other.
        """,
    ),
    "L140": ErrorEntry(
        what=N_("none of the images in this folder can be decoded"),
        todo=N_("give a folder of images"),
        explanation="""
        `limpide studio --images` found files with the endings of pictures, but none of them is a readable image.
        """,
    ),
    "L141": ErrorEntry(
        what=N_("the images that this network learned from are not known"),
        todo=N_("give the run that trained it"),
        explanation="""
        `seen.neighbors()` looks among the images of a run. A network in memory, or a published one, has none at
        hand: give the run to `limpide.see`.
        """,
    ),
    "L142": ErrorEntry(
        what=N_("widgets in a notebook need a package that is not installed"),
        todo="pip install 'limpide[notebook]'",
        explanation="""
        `limpide.see(…).widget()` shows the studio's instruments with anywidget, which `pip install
        'limpide[notebook]'` brings. Everything else that a notebook shows (`limpide.see(…)` itself, findings,
        units) needs nothing more than limpide.
        """,
    ),
    "L144": ErrorEntry(
        what=N_("a folder, a table or an archive was expected"),
        todo=N_("for images with their labels call score(X, y)"),
        explanation="""
        `evaluate` and `audit` read images with their labels, as `fit` does. For images of a program and their
        labels there is `score(X, y)`.
        """,
    ),
    "L146": ErrorEntry(
        what=N_("a part is written as FOLDER=PART"),
        todo=N_("write FOLDER=train,FOLDER=test, none or auto"),
        explanation="""
        `--parts camera1=train,camera2=test` says which outer folders are parts: train, validation or test. `--parts
        none` says that the outer folders are the classes.
        """,
    ),
    "L147": ErrorEntry(
        what=N_("none of the outer folders has this name"),
        explanation="""
        `--parts FOLDER=PART` names outer folders in which there are pictures, as they are written.
        """,
    ),
    "L148": ErrorEntry(
        what=N_("these options are for a table, but no table is read here"),
        todo=N_("give the table instead of its folder"),
        explanation="""
        `--file-column`, `--label-column`, `--split-column`, `--images` and `--suffix` say how a table is read. In
        this folder none fits: name the table itself, and it says what it lacks.
        """,
    ),
    "L163": ErrorEntry(
        what=N_("one size does not suit all networks"),
        todo=N_("name a network: limpide models cnn --image-size 32"),
        explanation="""
        `limpide models --image-size` is for one network: `limpide models cnn --image-size 32`.
        """,
    ),
    "L164": ErrorEntry(
        what=N_("there is no option {option}"),
        explanation="""
        The message says which options are nearest, or how limpide says the same. `limpide train --help` lists them all.
        """,
    ),
    "L165": ErrorEntry(
        what=N_("images are judged in folds or in a separate part, not both"),
        todo=N_("leave out one of the two options"),
        explanation="""
        With `--folds` every image is judged by a model that learned from the other folds, and no image is kept for a
        test or a validation part. `--test` and `--validation` keep such parts.
        """,
    ),
    "L166": ErrorEntry(
        what=N_("only a pretrained network is judged in folds"),
        todo=N_("leave --folds out, or use a network with published weights"),
        explanation="""
        Folds fit a last layer many times on what a pretrained network sees, which takes seconds, and fine-tune the
        network as many times as there are folds, which takes a few passes each. A network that learns from scratch
        would take many.
        """,
    ),
    "L167": ErrorEntry(
        what=N_("the command cannot be read"),
        todo=N_("see {command} --help"),
        explanation="""
        An argument is missing or too many, or an option has a value that it does not take. The message says which; the
        help of the verb lists what it takes, with examples.
        """,
    ),
    "L168": ErrorEntry(
        what=N_("a view is only for a frozen network that is judged in folds"),
        todo=N_("add --folds 5, or leave --view out"),
        explanation="""
        `--view` says in which squares a frozen network looks at images: the whole of each in a small one, or large ones
        in which small things count. It concerns a frozen network that is judged in folds, `--folds`. One that is
        fine-tuned sees squares of `--image-size`.
        """,
    ),
    "L169": ErrorEntry(
        what=N_("a square of {size} px is larger than the images, most of which have {side} px on the shorter side"),
        todo=N_("use --view whole, or auto"),
        explanation="""
        Larger squares show small things larger, as long as the image has so many pixels. Enlarged images show nothing
        more and take longer.
        """,
    ),
    "L170": ErrorEntry(
        what=N_("good parts are learned without any training step: {name} does not apply"),
        todo=N_("leave this option out"),
        explanation="""
        From good parts alone nothing is fitted step by step: a frozen network describes them, and their patches are
        kept. Options of a training (a network, epochs, a rate, folds, a validation part …) have nothing to act on.
        """,
    ),
    "L171": ErrorEntry(
        what=N_("too few good parts to promise so few false alarms: {n} found, {needed} needed"),
        todo=N_("add good parts, or ask for what they can promise: --false-alarms {possible}"),
        explanation="""
        Of n good parts that nothing was learned from, the most that can be promised is that a further one is called a
        defect once in n + 1 times. A rate of 0.01 takes 99 of them, 0.05 takes 19. Parts that belong together (of one
        folder in the class folder, of one value of a group column) count once.
        """,
    ),
    "L172": ErrorEntry(
        what=N_("a classifier tells classes apart: it does not learn good parts alone"),
        todo=N_("use the command: limpide train DATA --good NAME"),
        explanation="""
        `ImageClassifier` and `FlatImageClassifier` answer with one of the classes that they learned. Good parts alone
        are learned by `limpide train`; `limpide.deploy.predictor.Predictor(file).strangeness(images)` asks the model.
        """,
    ),
    "L173": ErrorEntry(
        what=N_("there is no class {name}; the classes are {names}"),
        todo=N_("name one of them: --good {guess}"),
        explanation="""
        `--good NAME` says which class holds the good parts. It has the name of a folder, or stands in the column of
        classes of a table.
        """,
    ),
    "L174": ErrorEntry(
        what=N_("the class of the good parts is not given; the classes are {names}"),
        todo=N_("name it: --good {guess}"),
        explanation="""
        A rate of false alarms can be promised where good parts alone are learned from. With several classes, say which
        of them holds these: `--good NAME`. The others then only judge.
        """,
    ),
    "L175": ErrorEntry(
        what=N_("the classes of this network cannot be balanced: its last layer has no bias"),
        todo=N_("leave --balance out, or give the last linear layer of the network a bias"),
        explanation="""
        So that a rare class counts as much as a frequent one, the logarithm of each class's share is taken off the bias
        of the last linear layer, and nothing is trained again. Every network that limpide lists has one.
        """,
    ),
    "L176": ErrorEntry(
        what=N_("this is not the address of a page"),
        todo=N_("give the address under which the proxy shows the studio, as https://hub.example/user/me/proxy/8501/"),
        explanation="""
        `limpide studio --public-url URL` says under which address people see the studio, where a proxy such as
        JupyterHub or nginx hands their requests on. It begins with http:// or https:// and has no user name, no ? and
        no #.
        """,
    ),
    "L177": ErrorEntry(
        what=N_("these two options contradict each other"),
        todo=N_("leave out one of the two options"),
        explanation="""
        Only what was asked for can contradict: a default gives way. Label smoothing spreads a target over all classes,
        which a hinge cannot follow. Images are mirrored by `--augment flip` or by `--flip yes`, and `--augment none`
        changes nothing. `--balance yes` corrects the logits of probabilities, which cross-entropy alone makes. `--init`
        draws the weights that `--weights FILE` would load. Where folds judge, no image is kept to tell the schedule
        `plateau` when to lower the rate.
        """,
    ),
    "L178": ErrorEntry(
        what=N_("published weights belong to the network as it was published"),
        todo=N_("add --weights none to learn from scratch, or leave {option} out"),
        explanation="""
        `--normalization` changes the layers of a network and `--init` its initial weights: neither fits the published
        weights. `limpide models` says which networks have them.
        """,
    ),
    "L179": ErrorEntry(
        what=N_("{name} applies to nothing in this network"),
        todo=N_("leave --{name} out, or choose another network"),
        explanation="""
        `--dropout` needs a layer of dropout whose share it sets, `--normalization none` a batch normalization that it
        takes out, and `--normalization batch` a convolution, or a linear layer before the last, that has none yet. In a
        network of your own, write `nn.Dropout(0.5)` where units may be left out.
        """,
    ),
    "L180": ErrorEntry(
        what=N_("the weights after epoch {n} were not kept; those of these epochs were: {kept}"),
        todo=N_("train with --keep all to keep every epoch"),
        explanation="""
        A run keeps weights along the way, at most 64 MB of them: after steps 0, 1, 2, 4, 8 … and after epochs, while
        there is room. `limpide train --keep all` keeps those of every epoch, however many bytes they take.
        """,
    ),
    "L181": ErrorEntry(
        what=N_("an option with two different values or more was expected"),
        todo=N_("write it as augment=none,light; with slashes where a value has commas: augment=none/flip,crop"),
        explanation="""
        `limpide ablate photos/ augment=none,light,strong` trains with each value. Several options make every
        combination: `optimizer=sgd,adam lr=0.1,0.01` is four.
        """,
    ),
    "L182": ErrorEntry(
        what=N_("{name} cannot be varied"),
        todo=N_("vary an option of the network, of learning or of the changes to images, each once"),
        explanation="""
        All combinations are judged on the same images, so what decides which images these are stays the same; the seed
        is varied by the repeats (`--repeats`), and `--time` holds for each training. An option is named once.
        """,
    ),
    "L183": ErrorEntry(
        what=N_("these are {n} combinations, and at most {most} are compared"),
        todo=N_("give fewer values, or vary one option after the other"),
        explanation="""
        Each combination is trained several times, and the more are compared, the larger a difference must be to count.
        """,
    ),
    "L184": ErrorEntry(
        what=N_("this option of a training says something with --rate alone"),
        todo=N_("add --rate, or name the run alone: limpide doctor runs/NAME"),
        explanation="""
        `limpide doctor RUN` reads what a training recorded, so an option cannot change it. `limpide doctor DATA --rate`
        trains for a few steps, with the options of `limpide train`.
        """,
    ),
    "L185": ErrorEntry(
        what=N_("this folder has no record of a training (run.json)"),
        todo=N_("name a run (limpide runs lists them), or add --rate to find a learning rate for the images in it"),
        explanation="""
        `limpide doctor` reads the record of a training, the folder that `limpide train` named at its end.
        """,
    ),
    "L186": ErrorEntry(
        what=N_("a learning rate is looked for, and one is given"),
        todo=N_("leave one of --rate and --lr out"),
        explanation="""
        `limpide doctor DATA --rate` tries learning rates from far below to far above the usual one.
        """,
    ),
    "L187": ErrorEntry(
        what=N_("answers are averaged over mirror images only with a network that is trained from scratch"),
        todo=N_("add --weights none to learn from scratch, or leave --average-mirrored out"),
        explanation="""
        `--average-mirrored yes` lets the sealed model answer with the mean over an image and its mirror image. The
        first model of a pretrained network, and the folds that judge it, answer about the image as it is.
        """,
    ),
    "L188": ErrorEntry(
        what=N_("this training takes no steps, so no learning rate can be found for it"),
        todo=N_("name a network that learns in steps, as --model cnn, and images of two classes or more"),
        explanation="""
        A model that compares with good parts, and a last layer alone on frozen features, are fitted without steps.
        """,
    ),
}
