# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""BibTeX of what a comparison used."""

from collections.abc import Iterable

_SOFTWARE = """@software{anogan_plugin,
  title = {anogan\\_plugin: AnoGAN for anomalib},
  author = {{The anogan\\_plugin authors}},
  version = {VERSION}
}"""
_ANOMALIB = """@inproceedings{akcay2022anomalib,
  title = {Anomalib: A Deep Learning Library for Anomaly Detection},
  author = {Akcay, Samet and Ameln, Dick and Vaidya, Ashwin and Lakshmanan, Barath
            and Ahuja, Nilesh and Genc, Utku},
  booktitle = {IEEE International Conference on Image Processing},
  year = {2022}
}"""
_METHODS = {
    "AnoGAN": """@inproceedings{schlegl2017anogan,
  title = {Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker
           Discovery},
  author = {Schlegl, Thomas and Seeb{\\"o}ck, Philipp and Waldstein, Sebastian M.
            and Schmidt-Erfurth, Ursula and Langs, Georg},
  booktitle = {Information Processing in Medical Imaging},
  year = {2017},
  doi = {10.1007/978-3-319-59050-9_12}
}""",
    "FAnoGAN": """@article{schlegl2019fanogan,
  title = {f-{AnoGAN}: Fast unsupervised anomaly detection with generative adversarial networks},
  author = {Schlegl, Thomas and Seeb{\\"o}ck, Philipp and Waldstein, Sebastian M.
            and Langs, Georg and Schmidt-Erfurth, Ursula},
  journal = {Medical Image Analysis},
  volume = {54},
  year = {2019},
  doi = {10.1016/j.media.2019.01.010}
}""",
    "EfficientGAN": """@article{zenati2018efficient,
  title = {Efficient {GAN}-Based Anomaly Detection},
  author = {Zenati, Houssam and Foo, Chuan Sheng and Lecouat, Bruno and Manek, Gaurav
            and Chandrasekhar, Vijay Ramaseshan},
  journal = {arXiv:1802.06222},
  year = {2018}
}""",
    "ALAD": """@inproceedings{zenati2018alad,
  title = {Adversarially Learned Anomaly Detection},
  author = {Zenati, Houssam and Romain, Manon and Foo, Chuan-Sheng and Lecouat, Bruno
            and Chandrasekhar, Vijay},
  booktitle = {IEEE International Conference on Data Mining},
  year = {2018}
}""",
    "PCA": """@article{turk1991eigenfaces,
  title = {Eigenfaces for Recognition},
  author = {Turk, Matthew and Pentland, Alex},
  journal = {Journal of Cognitive Neuroscience},
  volume = {3},
  number = {1},
  year = {1991},
  doi = {10.1162/jocn.1991.3.1.71}
}""",
    "Padim": """@inproceedings{defard2021padim,
  title = {{PaDiM}: A Patch Distribution Modeling Framework for Anomaly Detection and
           Localization},
  author = {Defard, Thomas and Setkov, Aleksandr and Loesch, Angelique and Audigier, Romaric},
  booktitle = {ICPR Workshops},
  year = {2021}
}""",
    "Patchcore": """@inproceedings{roth2022patchcore,
  title = {Towards Total Recall in Industrial Anomaly Detection},
  author = {Roth, Karsten and Pemula, Latha and Zepeda, Joaquin and Sch{\\"o}lkopf, Bernhard
            and Brox, Thomas and Gehler, Peter},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2022}
}""",
    "Ganomaly": """@inproceedings{akcay2018ganomaly,
  title = {{GANomaly}: Semi-Supervised Anomaly Detection via Adversarial Training},
  author = {Akcay, Samet and Atapour-Abarghouei, Amir and Breckon, Toby P.},
  booktitle = {Asian Conference on Computer Vision},
  year = {2018}
}""",
}


def citations(class_names: Iterable[str], version: str) -> str:
    """BibTeX of the software, and of the methods that it has an entry for.

    Args:
        class_names: Classes of the models that were compared.
        version: Of this package, as in the results; empty if it is not known.

    Returns:
        The entries.
    """
    software = _SOFTWARE.replace("{VERSION}", f"{{{version or 'unknown'}}}")
    used = [_METHODS[name] for name in dict.fromkeys(class_names) if name in _METHODS]
    return "\n\n".join([software, _ANOMALIB, *used])
