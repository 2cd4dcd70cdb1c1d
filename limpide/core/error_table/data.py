"""What a DataError says, and what docs/reference/errors.md explains of it: one entry a code, so this file is as long
as there are errors.
"""

from __future__ import annotations

from limpide.core.error_table.entry import ErrorEntry
from limpide.text.messages import N_

DATA_ERRORS = {
    "L201": ErrorEntry(
        what=N_("this file is not a folder, a table or an archive of images"),
        todo=N_("give a folder with one folder per class, a .csv, a .zip or a .tar"),
        explanation="""
        `limpide train` wants a folder, a table (`.csv`, `.tsv`, `.parquet`), an archive (`.zip`, `.tar`, `.tar.gz`
        …) or the name of a data set.
        """,
    ),
    "L202": ErrorEntry(
        what=N_("there is no such folder and no data set of this name"),
        explanation="""
        The path does not exist, and limpide knows no data set of this name. If a folder nearby has a similar name,
        the message offers it.
        """,
    ),
    "L203": ErrorEntry(
        what=N_("the files are not in class folders"),
        explanation="""
        No arrangement was recognised: neither a folder a class, nor classes in the file names (`cat_001.jpg`), nor
        a table beside the images. Put the images of each class into a folder of its own, and give the folder above:

            photos/            limpide train photos/
            ├── ants/
            │   ├── 001.jpg
            │   └── 002.jpg
            └── bees/
                └── 001.jpg

        Other arrangements, and tables, are in [data](data.md).
        """,
    ),
    "L204": ErrorEntry(
        what=N_("all images are in one class, {name}: there is nothing to tell apart"),
        todo=N_("give images of another class, too"),
        explanation="""
        A classifier chooses between at least two classes. Add a folder with images of something else. Where defects
        are rare, good parts alone are enough: `limpide train parts/` with one folder of them learns what is usual
        and names what is not ([find defects](../how-to/find-defects.md)).
        """,
    ),
    "L205": ErrorEntry(
        what=N_("{name} could not be downloaded"),
        explanation="""
        None of the places that keep the data set can be reached. Connect to the internet once, or put the published
        files where the message says.
        """,
    ),
    "L206": ErrorEntry(
        what=N_("a downloaded file is not the published one"),
        todo=N_("remove it, and it will be downloaded again"),
        explanation="""
        Its checksum differs, so it was not kept. Often a proxy or a hotel network put a page of its own in place of
        the file: try again from another network.
        """,
    ),
    "L207": ErrorEntry(
        what="",  # said where it is raised
        todo=N_("give an image file: JPEG, PNG, WebP, TIFF …"),
        title="the image cannot be used",
        explanation="""
        The file was found, but it cannot be read as an image: it is empty, cut short, a web page, too small, or in
        an unknown format. The message says which. The other files were still read.
        """,
    ),
    "L208": ErrorEntry(
        what=N_("the file cannot be opened"),
        todo=N_("give an image file: JPEG, PNG, WebP, TIFF …"),
        explanation="""
        The system refused to open the file: it does not exist, or you may not read it. The message repeats the
        reason the system gave.
        """,
    ),
    "L209": ErrorEntry(
        what=N_("too few usable images are left to learn from and to test on: {counts}"),
        todo=N_("give at least two readable images of each of two classes; {file} says what was left out"),
        explanation="""
        After leaving out unreadable files and duplicates there are not two classes to train on, or nothing to test
        with. `excluded.csv` in the run names every file left out and why.
        """,
    ),
    "L210": ErrorEntry(
        what=N_("the model knows none of these classes; it knows {names}"),
        todo=N_("name the class folders as they were named in training"),
        explanation="""
        `limpide evaluate` matches classes by the names of their folders, and none of them is a class of this model.
        Rename the folders as they were named in training.
        """,
    ),
    "L211": ErrorEntry(
        what=N_("none of these images can be read"),
        todo=N_("give a folder of readable images"),
        explanation="""
        `limpide evaluate` found files in the class folders, but no file is a readable image. Check that the folder
        is the right one and was copied completely.
        """,
    ),
    "L212": ErrorEntry(
        what="",  # said where it is raised
        title="this archive cannot be read",
        explanation="""
        The zip or tar is damaged, or not what its name says. Copy or download it again; or unpack it and name the
        folder.
        """,
    ),
    "L213": ErrorEntry(
        what=N_("unpacked, this archive is too large for the disk"),
        todo=N_("unpack it elsewhere and give that folder"),
        explanation="""
        A compressed tar is unpacked once, into the cache, and would take more than half of the free disk, or far
        more than images do. Unpack it where there is room and name that folder.
        """,
    ),
    "L214": ErrorEntry(
        what=N_("the table is empty"),
        todo=N_("give it a first line file,label and one line per image"),
        explanation="""
        It has no first line that names its columns. Give it a first line `file,label` and one line an image.
        """,
    ),
    "L215": ErrorEntry(
        what=N_(
            "images seem to have several labels each, and limpide gives one class to an image (multi-label is "
            "not supported)"
        ),
        todo=N_("keep one label per image, or train one model per label"),
        explanation="""
        Labels such as `cat|dog`, or a column a label. Keep the one that matters, or train one model a label.
        """,
    ),
    "L216": ErrorEntry(
        what=N_("images vanish while they are used: {n} can no longer be read"),
        todo=N_("bring them back and run the same command again to continue"),
        explanation="""
        More than one image in a hundred was removed or changed while the training read it. Bring them back: the
        same command continues.
        """,
    ),
    "L217": ErrorEntry(
        what=N_("the images disappeared while they were being read"),
        todo=N_("connect the disk again and run the same command again to continue"),
        explanation="""
        The folder itself is gone, as when a disk or a network share is disconnected. Connect it again: the same
        command continues.
        """,
    ),
    "L218": ErrorEntry(
        what=N_("missing files: {n} of {total}"),
        todo=N_("give paths of image files that exist"),
        explanation="""
        A list of paths given from Python names files that do not exist.
        """,
    ),
    "L219": ErrorEntry(
        what=N_("this is not an array of images"),
        todo=N_("give the one column that holds the images"),
        explanation="""
        Arrays are (n, height, width) or (n, height, width, 3), 8-bit or floats within 0 … 1 or 0 … 255, with one
        label (and group) an image. In a list each array is one image: (height, width), (height, width, 3) or (3,
        height, width).
        """,
    ),
    "L220": ErrorEntry(
        what=N_("these images have no labels"),
        todo=N_("call fit(X, y) with one label per image, or fit(folder)"),
        explanation="""
        `ImageClassifier.fit` got an array or a list of paths and no `y`. Only a folder, a table or an archive can
        say by itself what its images show.
        """,
    ),
    "L221": ErrorEntry(
        what=N_("labels are missing or of several kinds"),
        todo=N_("give one label per image: all text, or all whole numbers"),
        explanation="""
        The labels hold `None`, or text and numbers together, and cannot be put in an order. Give one label an
        image, all of one kind.
        """,
    ),
    "L222": ErrorEntry(
        what=N_("these are rows of numbers, and images were expected"),
        todo=N_("reshape them to (n, height, width), or use limpide.FlatImageClassifier"),
        explanation="""
        `ImageClassifier` got a table of numbers (n, features). Reshape it to (n, height, width) or (n, height,
        width, 3), or use `limpide.FlatImageClassifier`, which does that for you.
        """,
    ),
    "L223": ErrorEntry(
        what=N_("these images have several sizes"),
        todo=N_("convert colours of more than 8 bits to 0 … 255, or bring the images to one size"),
        explanation="""
        Lists of numbers of different lengths cannot become one array. Give each image as an array of its own: then
        they may have any sizes.
        """,
    ),
    "L224": ErrorEntry(
        what=N_("rows of {features} numbers do not fill images of {n} numbers"),
        todo=N_("give the shape whose sides multiply to the length of a row"),
        explanation="""
        The sides in `image_shape` of `FlatImageClassifier` multiply to another number than a row has.
        """,
    ),
    "L225": ErrorEntry(
        what=N_("the table has no column {meaning}; it has {names}"),
        todo=N_("name the column: {option} NAME"),
        explanation="""
        Files stand in a column called `file`, `path`, `image`, `id` … or in one whose cells end like pictures;
        labels in one called `label`, `class`, `category`, `breed` …, or in the only column that can be classes.
        Otherwise name them: `--file-column NAME`, `--label-column NAME`.
        """,
    ),
    "L226": ErrorEntry(
        what=N_("the table cannot be read"),
        todo=N_("write one JSON object per line, with file_name and label"),
        explanation="""
        The Parquet file is damaged or of another kind. Save it as CSV.
        """,
    ),
    "L227": ErrorEntry(
        what=N_("the table names a part that is not known"),
        todo=N_(
            "use train, validation and test, or leave the cell empty; --split-column none reads no parts from the table"
        ),
        explanation="""
        The column of the parts (`split`, `part`, `set` …) may hold words for `train`, `validation` and `test`, or
        0, 1 and 2, or nothing. `--split-column NAME` names another one.
        """,
    ),
    "L228": ErrorEntry(
        what=N_(
            "no file that the table names exists: its column {column} starts with {cell}, and its columns are {names}"
        ),
        explanation="""
        Files are looked up below the folder of the table, in this order: as their path stands, whatever its case,
        without the folders in front, by their name alone, by their name without its ending. One of these has to
        find more than half of the rows, and a name that two files have finds neither. `--images DIR` names another
        folder, `--suffix .jpg` what the names lack, `--file-column NAME` another column. Nothing is downloaded.
        """,
    ),
    "L229": ErrorEntry(
        what=N_("the labels are measured numbers, and limpide tells classes apart (regression is not supported)"),
        todo=N_("cut the numbers into classes, such as low, middle and high"),
        explanation="""
        Cut the numbers into classes, such as low, middle and high, or use a tool made for regression.
        """,
    ),
    "L230": ErrorEntry(
        what=N_("the images hold values that are not numbers"),
        todo=N_("remove NaN and infinity"),
        explanation="""
        Arrays with NaN or infinity have no grey levels. Replace them before training.
        """,
    ),
    "L231": ErrorEntry(
        what=N_("the images hold values outside of 0 … 255"),
        todo=N_("rescale them to 0 … 1 or 0 … 255"),
        explanation="""
        Arrays are 8-bit, or floats within 0 … 1 or 0 … 255: rescale them.
        """,
    ),
    "L232": ErrorEntry(
        what=N_("there are {n} images and {k} labels"),
        todo=N_("give one label per image"),
        explanation="""
        Every image needs one label, in the same order.
        """,
    ),
    "L233": ErrorEntry(
        what=N_("there are no files in this folder"),
        explanation="""
        The folder is empty, or holds only hidden files and files of the system.
        """,
    ),
    "L234": ErrorEntry(
        what=N_("there are no files in this archive"),
        explanation="""
        The archive is empty, or holds only hidden files and files of the system.
        """,
    ),
    "L235": ErrorEntry(
        what=N_("there are {n} images and {k} groups"),
        todo=N_("give one group per image"),
        explanation="""
        Every image needs one group, in the same order; images without company get a group of their own.
        """,
    ),
    "L236": ErrorEntry(
        what=N_("some folders are parts and others are not: {names}"),
        todo=N_("say what each is, --parts {example}=train, or leave out those that you do not name: --parts {parts}"),
        explanation="""
        `train` and `test` hold class folders, and beside them lie folders that are neither. They would become
        classes, or the parts would. Say what each folder is, as in `--parts train=train,test=test,more=train`; a
        folder that is not named there is left out.
        """,
    ),
    "L237": ErrorEntry(
        what=N_("two columns of the table have the same name"),
        todo=N_("rename or remove one of them"),
        explanation="""
        Which of the two is meant cannot be known. Rename or remove one of them.
        """,
    ),
    "L238": ErrorEntry(
        what=N_("nothing in this archive can be used: {reason}"),
        explanation="""
        Every member was refused for the reason given, such as encryption or a name that leads out of the archive.
        """,
    ),
    "L239": ErrorEntry(
        what=N_("the groups are so few or so large that nothing is left to test on"),
        todo=N_("name other columns with --groups, or none"),
        explanation="""
        Groups are never cut apart, and there must be one for training and one for testing at least. `--groups`
        names other columns, or `none`.
        """,
    ),
    "L240": ErrorEntry(
        what=N_("missing labels: {n} of {total}"),
        todo=N_("give every image a label, or leave out those that have none"),
        explanation="""
        `None` and `NaN` name no class. Give these images a label, or leave them out of both lists.
        """,
    ),
    "L241": ErrorEntry(
        what=N_("several tables in this folder could be meant: {names}"),
        todo=N_("give the one to use instead of the folder"),
        explanation="""
        More than one table here has a column of files and a column of labels. Name the one to use: `limpide train
        photos/labels.csv`.
        """,
    ),
    "L242": ErrorEntry(
        what=N_("a table inside an archive is not read"),
        todo=N_("unpack the archive and give its folder"),
        explanation="""
        The folders in the archive name no classes, and its table is not looked at. Unpack the archive and name its
        folder, or put the images of each class into a folder of its own before packing.
        """,
    ),
    "L243": ErrorEntry(
        what=N_(
            "no class is called {name}, the name of the good parts in this model: every image would count as a defect"
        ),
        todo=N_("give the folder of good parts this name"),
        explanation="""
        A model of good parts judges a folder with one folder of good parts, called as in its training, and any folders
        of defects. Without the former every image would count as a defect.
        """,
    ),
    "L261": ErrorEntry(
        what=N_(
            "all {n} images of {name} are copies of one image, or nearly: copies stay in one part, so no "
            "image is left to test on"
        ),
        todo=N_("give images that differ, at least two of each class"),
        explanation="""
        Copies and near copies of an image never lie on both sides of a split, or the score would be too good. Where
        a class is one image many times, all of it trains and nothing of it can test. Give images that differ: at
        least two of each class.
        """,
    ),
    "L262": ErrorEntry(
        what=N_("all training images are in one class, {name}: there is nothing to tell apart"),
        todo=N_("add images of another class to the training part, or learn good parts alone: --good {name}"),
        explanation="""
        The other classes stand in the parts that you gave for testing only. Put images of two classes at least into
        the training part. Where that class holds good parts, and the others defects, `--good NAME` learns from it
        alone.
        """,
    ),
    "L263": ErrorEntry(
        what=N_("no test image is in a class of the training part: the test classes are {names}"),
        todo=N_("give the class folders the same names in the training part and in the test part"),
        explanation="""
        The test part that you gave has other classes than the training part, so that no answer could be right. The
        names of the classes are compared letter by letter.
        """,
    ),
    "L280": ErrorEntry(
        what=N_("the labels are one-hot: one column per class, and one 1 in each row"),
        todo=N_("give one label per image: labels.argmax(axis=1)"),
        explanation="""
        Neural network libraries want labels like this. limpide wants one label an image: `labels.argmax(axis=1)`,
        or the names of the classes.
        """,
    ),
    "L281": ErrorEntry(
        what=N_("this is not an image"),
        todo=N_("give a path, the bytes of a file, a Pillow image, an array, or a list of them"),
        explanation="""
        An image is a path, the bytes of a file (or an open file), a Pillow image or an array; several are a list or
        a column of these.
        """,
    ),
    "L282": ErrorEntry(
        what=N_("this may be one image with {n} channels, or {n} grey images"),
        todo=N_("give (height, width, 3) for one RGB image, or (n, height, width, 1) for several grey ones"),
        explanation="""
        An array (3, height, width) may be one image as torch holds it, or three grey ones, and the answer would
        depend on it. Write `array.transpose(1, 2, 0)` for one image, `array[..., None]` for several.
        """,
    ),
    "L283": ErrorEntry(
        what=N_("an array does not say what its {n} channels mean"),
        todo=N_("give red, green and blue, the file, or a Pillow image: Image.fromarray(array, mode)"),
        explanation="""
        Four channels may be RGBA or CMYK, two grey and transparency or anything else. Give the file itself, or say
        it with Pillow: `Image.fromarray(array, "RGBA")`.
        """,
    ),
    "L284": ErrorEntry(
        what=N_("no image of a class that the model knows can be read"),
        todo=N_("give a folder of readable images"),
        explanation="""
        `limpide evaluate` could read images, but only of classes that the model never learned, so there is nothing
        to score. Check that the other class folders were copied completely.
        """,
    ),
    "L285": ErrorEntry(
        what=N_(
            "values between 0 and 1 would all become one shade of grey, as this model learned from values "
            "between {black:number} and {white:number}"
        ),
        todo=N_("give the values as the files hold them, not rescaled"),
        explanation="""
        The model was trained on images of more than 8 bits, whose value range is part of it. An array of floats up
        to 1 was divided on its way: give the values as the files hold them, or the files themselves.
        """,
    ),
    "L286": ErrorEntry(
        what=N_(
            "this is object detection data: {file} says where objects are in an image, but limpide gives one "
            "class to a whole image"
        ),
        todo=N_("cut the objects out, and put those of each class into a separate folder"),
        explanation="""
        Beside the pictures lie files that say where things are on them, as for YOLO, COCO or Pascal VOC, and
        nothing says one class for each picture. Cut the objects out, and put those of each class into a folder of
        its own.
        """,
    ),
    "L287": ErrorEntry(
        what=N_("there are only archives in this folder: {names}"),
        todo=N_("unpack each into a folder named after its class, or give one of them"),
        explanation="""
        Teachable Machine, for one, exports an archive for each class. Unpack each into a folder that is called as
        its class.
        """,
    ),
    "L288": ErrorEntry(
        what=N_("this folder contains no image, only {names}"),
        explanation="""
        None of the files ends like a picture (.jpg, .png, .tif …) or begins like one. Put the images of each class
        into a folder of its own.
        """,
    ),
    "L289": ErrorEntry(
        what=N_("the folder of images does not exist"),
        todo=N_("give the folder that contains the table's files"),
        explanation="""
        `--images DIR` names the folder that the files of a table lie in.
        """,
    ),
    "L290": ErrorEntry(
        what=N_(
            "the table names web addresses, but limpide downloads nothing: its column {column} starts with "
            "{cell}, and its columns are {names}"
        ),
        explanation="""
        limpide never asks the network for images. Download them into a folder: the table is then read by the names
        at the end of its addresses.
        """,
    ),
    "L291": ErrorEntry(
        what=N_("no row of the table can be used: {reason}"),
        todo=N_("give each file a label, and list each file only once"),
        explanation="""
        The files are there, but none of the rows has a label, or each file has several, or lies in two parts.
        """,
    ),
    "L292": ErrorEntry(
        what=N_("limpide reads {names} instead of this table"),
        explanation="""
        Several tables lie in the folder, and those of the parts (`train.csv`, `test.csv`), or those that are no
        prediction and no submission, say what is learned. To learn from this one, name it instead of the folder.
        """,
    ),
    "L293": ErrorEntry(
        what="",  # said where it is raised
        title="by its name, the table is not for training",
        explanation="""
        A table called `test`, `validation`, `predictions` or `submission` never decides alone what is learned from:
        its labels are of the test, or are no labels. Where it is what you mean, name it instead of the folder, or
        rename it.
        """,
    ),
    "L294": ErrorEntry(
        what=N_("the table names {n:count} of the {total:count} images to which folders give a class"),
        explanation="""
        The folders say a class for many more images than the table, so it holds notes, or labels of a few of them.
        Name the table instead of the folder to use it alone.
        """,
    ),
    "L295": ErrorEntry(
        what=N_("the training part has no class folders"),
        todo=N_(
            "put its images into one folder per class, as those of the {part} part are, or say with --parts "
            "which folder is which"
        ),
        explanation="""
        The test part has folders of classes, and the training part has not: there is nothing to learn from. Put the
        images of the training into folders of the same names. Where it is not the training, say with `--parts`
        which folder is which.
        """,
    ),
    "L296": ErrorEntry(
        what=N_(
            "the table does not say which file is meant: its column {column} starts with {cell}, its columns are "
            "{names}, and the candidates are {several}"
        ),
        todo=N_("give the folder of the correct files: --images DIR"),
        explanation="""
        Several pictures have the name that the table gives, and nothing tells which of them is labelled: neither is
        a training folder, nor are the others masks or thumbnails. `--images DIR` names the folder of those that are
        meant.
        """,
    ),
    "L297": ErrorEntry(
        what=N_(
            "few of the files that the table names exist, such as {file}: its column {column} starts with "
            "{cell}, and its columns are {names}"
        ),
        todo=N_("give the folder of its files: --images DIR"),
        explanation="""
        Less than a fifth of its files are found: the table may be of other pictures, or of pictures in another
        folder. `--images DIR` names the folder of its files.
        """,
    ),
    "L298": ErrorEntry(
        what=N_(
            "this is object detection data: the table says where objects are in an image, but limpide gives one "
            "class to a whole image"
        ),
        todo=N_("cut the objects out, or name the column that gives one class for each image: --label-column {label}"),
        explanation="""
        The table has the columns `xmin`, `ymin`, `xmax` and `ymax`: boxes around objects. limpide finds no objects;
        cut them out into pictures of their own. Where each picture has one row, and its class is of the whole
        picture, name the column with `--label-column`.
        """,
    ),
    "L299": ErrorEntry(
        what=N_("too few good parts to learn from: {n} found, {least} needed"),
        todo=N_("add images of good parts"),
        explanation="""
        Each good part must be held against others that it was not learned with. Images that are the same, and images
        that belong together, count once. The files that cannot be used are listed in the run's `excluded.csv`.
        """,
    ),
}
